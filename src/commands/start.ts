import type { Command } from './command.ts';
import { type ConfigArgs, configOption } from './config-flag.ts';

/** Flags of `start`. */
export interface StartArgs extends ConfigArgs {
  host: string | undefined;
  port: string | undefined;
  socket: string | undefined;
  'unsafe-any-host': boolean | undefined;
  sandbox: boolean;
  'log-format': string | undefined;
  'log-level': string | undefined;
  'show-values': boolean | undefined;
  quiet: boolean | undefined;
}

/** Starts the proxy and keeps it running until a signal ends it. */
export const startCommand: Command<StartArgs> = {
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
  options: (yargs) =>
    configOption(yargs)
      .option('host', {
        type: 'string',
        requiresArg: true,
        describe:
          'Address to listen on; beyond 127.0.0.1 others can use your token, and allowedHosts is required',
      })
      .option('port', {
        alias: 'p',
        type: 'string',
        requiresArg: true,
        describe: 'Port to listen on; 0 takes a free one',
      })
      .option('socket', {
        type: 'string',
        requiresArg: true,
        conflicts: ['host', 'port'],
        describe: 'Unix socket to listen on in place of host and port; only its owner can use it',
      })
      .option('unsafe-any-host', {
        type: 'boolean',
        describe:
          'Answer to any host name; any web page can then read health data by DNS rebinding. Prefer allowedHosts in the config',
      })
      .option('sandbox', {
        type: 'boolean',
        default: false,
        describe: 'Serve the embedded sandbox on /fhir, whatever the config says',
      })
      .option('log-format', {
        type: 'string',
        requiresArg: true,
        describe: '"pretty", "json" or "auto", which is pretty on a terminal; default auto',
      })
      .option('log-level', {
        type: 'string',
        requiresArg: true,
        describe: '"debug", "info", "warn", "error" or "silent"',
      })
      .option('show-values', {
        type: 'boolean',
        describe: 'Log paths and query values, which may hold health data',
      })
      .option('quiet', {
        alias: 'q',
        type: 'boolean',
        conflicts: 'log-level',
        describe: 'Log warnings and errors only',
      }),
  // Help pages need none of the server.
  run: async (args, runtime) => (await import('./run-proxy.ts')).runProxy(args, runtime),
};
