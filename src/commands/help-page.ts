import { wrap } from '../observe/pretty.ts';
import type { Command, ListedCommand } from './command.ts';

/**
 * A help page: what the command is for, then tasks with what to type, then usage, the other
 * commands if any are given, and the flags.
 * @param flags positionals and options as yargs describes them
 */
export function formatHelpPage(
  flags: string,
  { purpose, examples, takesRest }: Command,
  { name }: ListedCommand,
  commands: readonly ListedCommand[],
): string {
  const usage =
    commands.length === 0 ? formatUsage(name, takesRest) : 'fhir-auth-proxy [command] [flags]';
  return [
    wrap(purpose, 100).join('\n'),
    ...examples.map(({ task, command }) => `  # ${task}\n  ${command.replaceAll('\n', '\n  ')}`),
    `Usage: ${usage}`,
    ...(commands.length === 0 ? [] : [formatCommands(commands)]),
    flags.replace('Options:', commands.length === 0 ? 'Flags:' : `Flags of ${name}:`),
  ].join('\n\n');
}

/**
 * How a command is called.
 *
 * @param name with its positionals, such as `explain [FILE]`
 * @param takesRest whether another command follows
 */
export function formatUsage(name: string, takesRest: boolean | undefined): string {
  return `fhir-auth-proxy ${name} [flags]${takesRest === true ? ' -- COMMAND [arguments]' : ''}`;
}

function formatCommands(commands: readonly ListedCommand[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Commands ("fhir-auth-proxy help COMMAND" says more):',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
  ].join('\n');
}
