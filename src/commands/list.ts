import type { ListedCommand } from './command.ts';

/** Every command in the order of the help page; the first is also what runs when none is named. */
export const commands: readonly ListedCommand[] = [
  {
    name: 'start',
    summary: 'start the proxy (the default)',
    load: async () => (await import('./start.ts')).startCommand,
  },
  {
    name: 'init [url]',
    summary: 'set up a proxy for a server, up to the first answer',
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'sandbox',
    summary: 'run a fake OpenEMR alone, for a test stack',
    load: async () => (await import('./sandbox.ts')).sandboxCommand,
  },
  {
    name: 'doctor',
    summary: 'check everything that the proxy depends on',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'explain [file]',
    summary: "explain lines of OpenEMR's error log",
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'key [action] [file]',
    summary: 'make, publish and check the signing key',
    load: async () => (await import('./key.ts')).keyCommand,
  },
  {
    name: 'register [url]',
    summary: 'register a client, and nothing else',
    load: async () => (await import('./register.ts')).registerCommand,
  },
  {
    name: 'token',
    summary: 'print an access token, for curl',
    load: async () => (await import('./token.ts')).tokenCommand,
  },
  {
    name: 'exec',
    summary: 'run a command with the proxy beside it',
    load: async () => (await import('./exec.ts')).execCommand,
  },
  {
    name: 'health',
    summary: 'ask the running proxy whether it is ready',
    load: async () => (await import('./health.ts')).healthCommand,
  },
  {
    name: 'certificate',
    summary: 'show how to trust the local certificate authority',
    load: async () => (await import('./certificate.ts')).certificateCommand,
  },
  {
    name: 'completion [shell]',
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).createCompletionCommand(commands),
  },
];
