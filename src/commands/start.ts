import { loadConfig } from '../config/load.ts';
import { isWildcardHost } from '../config/loopback.ts';
import type { ProxyConfig } from '../config/schema.ts';
import { createLogger } from '../observe/logger.ts';
import { createProxyServer } from '../server.ts';
import type { Command } from './command.ts';
import { type Runtime, type StopSignal, signalExitCode } from './runtime.ts';

interface StartArgs {
  config: string | undefined;
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
    yargs
      .option('config', {
        alias: 'c',
        type: 'string',
        requiresArg: true,
        describe: 'Config file; default proxy.config.json in the working directory',
      })
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
        describe: '"pretty" or "json"; default pretty on a terminal',
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
  async run(args, runtime) {
    const { config, file, warnings } = await loadConfig({
      file: args.config,
      environment: runtime.environment,
      cwd: runtime.cwd,
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
    });
    const logger = createStartLogger(config, runtime);
    for (const warning of warnings) logger.warn({}, warning);
    if (file !== undefined) logger.debug({ file }, 'configuration read');
    const proxy = await createProxyServer(config, { logger });
    const stop = runtime.stopSignal();
    try {
      const url = await proxy.listen();
      logger.debug({ url, routes: proxy.describe() }, 'listening');
      writeReady(url, config, runtime, args.quiet);
      const signal = await stopped(stop);
      logger.info({ signal }, 'stopping: no new requests; what is in flight is finished');
      return signalExitCode(signal);
    } finally {
      await proxy.close();
      logger.flush();
    }
  },
};

function createStartLogger({ log }: ProxyConfig, runtime: Runtime) {
  const { stderr } = runtime;
  const { fd } = stderr.stream as { fd?: number };
  const logger = createLogger({
    format: log.format === 'auto' ? (stderr.isTTY ? 'pretty' : 'json') : log.format,
    level: log.level,
    stream: fd ?? stderr.stream,
    color: stderr.isTTY,
  });
  runtime.atExit(() => logger.flush());
  return logger;
}

function writeReady(
  url: string,
  { listen, routes }: ProxyConfig,
  { stdout }: Runtime,
  quiet = false,
) {
  stdout.write(`ready on ${url}\n`);
  if (quiet) return;
  stdout.write(`try: curl ${curlAddress(url, listen)}${routes[0]?.path ?? ''}/Patient\n`);
}

function curlAddress(url: string, { host, socket }: ProxyConfig['listen']): string {
  if (socket !== undefined) return `--unix-socket ${socket} http://localhost`;
  // Nobody can call "every address".
  return isWildcardHost(host) ? `http://127.0.0.1:${new URL(url).port || 80}` : url;
}

function stopped(stop: AbortSignal): Promise<StopSignal> {
  return new Promise((resolve) => {
    const finish = () => resolve(stop.reason as StopSignal);
    if (stop.aborted) finish();
    else stop.addEventListener('abort', finish, { once: true });
  });
}
