import type { Arguments, Command } from './command.ts';
import { configArguments } from './config-flag.ts';

const startArguments = {
  ...configArguments,
  host: {
    type: 'string',
    requiresArg: true,
    describe:
      'Address to listen on; default 127.0.0.1 and ::1. Beyond these others can use your token, and allowedHosts is required',
  },
  port: {
    alias: 'p',
    type: 'string',
    requiresArg: true,
    describe: 'Port to listen on; 0 takes a free one',
  },
  socket: {
    type: 'string',
    requiresArg: true,
    conflicts: ['host', 'port'],
    describe: 'Unix socket to listen on in place of host and port; only its owner can use it',
  },
  'unsafe-any-host': {
    type: 'boolean',
    describe:
      'Answer to any host name; any web page can then read health data by DNS rebinding. Prefer allowedHosts in the config',
  },
  sandbox: {
    type: 'boolean',
    default: false,
    describe: 'Serve the embedded sandbox on /fhir, whatever the config says',
  },
  'log-format': {
    type: 'string',
    requiresArg: true,
    describe: '"pretty", "json" or "auto", which is pretty on a terminal; default auto',
  },
  'log-level': {
    type: 'string',
    requiresArg: true,
    describe: '"debug", "info", "warn", "error" or "silent"',
  },
  'show-values': {
    type: 'boolean',
    describe: 'Log paths and query values, which may hold health data',
  },
  trust: {
    type: 'boolean',
    default: false,
    describe:
      'Let the config file run its "errorLogCommand", now and at later starts; without it a terminal asks',
  },
  quiet: {
    alias: 'q',
    type: 'boolean',
    conflicts: 'log-level',
    describe: 'Log warnings and errors only',
  },
} satisfies Arguments;

/** Starts the proxy and keeps it running until a signal ends it. */
export const startCommand: Command<typeof startArguments> = {
  purpose:
    "Gives local programs OpenEMR's FHIR API without a token: this proxy gets the access token, renews it and explains every failure.",
  examples: [
    {
      task: 'Try it without a server: an embedded sandbox answers',
      command: 'fhir-auth-proxy --sandbox',
    },
    { task: 'Start with proxy.config.json of this folder', command: 'fhir-auth-proxy' },
    {
      task: 'Start with another config file, on another port',
      command: 'fhir-auth-proxy --config openemr.json --port 9090',
    },
    {
      task: 'Start without a config file',
      command:
        'FHIR_AUTH_PROXY_UPSTREAM=https://localhost:9300/apis/default/fhir \\\n  FHIR_AUTH_PROXY_CLIENT_ID=… FHIR_AUTH_PROXY_KEY_FILE=private.jwk.json \\\n  FHIR_AUTH_PROXY_SCOPES="system/Patient.read" fhir-auth-proxy',
    },
  ],
  arguments: startArguments,
  async run(args, runtime) {
    // Help pages need nothing of the server.
    const { runProxy } = await import('./run-proxy.ts');
    await runProxy(
      {
        file: args.config,
        quiet: args.quiet === true,
        trust: args.trust,
        flags: {
          sandbox: args.sandbox,
          host: args.host,
          port: args.port,
          socket: args.socket,
          unsafeAnyHost: args['unsafe-any-host'],
          logFormat: args['log-format'],
          logLevel: args.quiet ? 'warn' : args['log-level'],
          showValues: args['show-values'],
        },
      },
      runtime,
    );
  },
};
