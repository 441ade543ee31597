import { constants } from 'node:os';

import spawn from 'cross-spawn';

import type { ProxyConfig } from '../config/schema.ts';
import { createProxyServer } from '../server.ts';
import type { Arguments, Command } from './command.ts';
import { configArguments } from './config-flag.ts';
import { ExitError } from './exit-error.ts';
import { loadCommandConfig, logCommandArguments } from './load.ts';
import { createProxyLogger } from './loggers.ts';
import { withoutSecrets } from './own-secrets.ts';
import type { Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

const execArguments = {
  ...configArguments,
  sandbox: {
    type: 'boolean',
    default: false,
    describe: 'Serve the embedded sandbox on /fhir, whatever the config says',
  },
  'log-level': {
    type: 'string',
    requiresArg: true,
    describe: 'Of the proxy: "debug", "info", "warn", "error" or "silent"; default warn',
  },
  ...logCommandArguments,
} satisfies Arguments;

/** Runs a command beside a proxy of its own. */
export const execCommand: Command<typeof execArguments> = {
  purpose:
    'Starts the proxy on a free port, runs a command with its address in the environment, and ends with the exit code of the command. FHIR_BASE_URL is the FHIR base of the first route, FHIR_AUTH_PROXY_URL the address of the proxy.',
  examples: [
    {
      task: 'Run integration tests against made-up patients, without a server',
      command: 'fhir-auth-proxy exec --sandbox -- npm test',
    },
    {
      task: 'Run a script against the server of proxy.config.json',
      command: 'fhir-auth-proxy exec -- python3 report.py',
    },
    {
      task: 'One request',
      command: "fhir-auth-proxy exec -- sh -c 'curl -s $FHIR_BASE_URL/Patient?_count=1'",
    },
  ],
  takesRest: true,
  arguments: execArguments,
  async run(args, runtime) {
    const [program, ...words] = args['--'];
    if (program === undefined) {
      throw new UsageError(
        'no command given',
        'Write it after "--": fhir-auth-proxy exec -- npm test',
      );
    }
    const { config, warnings } = await loadCommandConfig(
      {
        file: args.config,
        runsLogCommands: args['error-log-command'],
        flags: {
          sandbox: args.sandbox,
          host: '127.0.0.1',
          port: 0,
          logLevel: args['log-level'] ?? 'warn',
        },
      },
      runtime,
    );
    assertNoSocket(config);
    // The command calls this proxy directly, over loopback, and trusts no authority of ours.
    delete config.listen.tls;
    delete config.listen.publicUrl;
    const logger = createProxyLogger(runtime, config.log.level);
    for (const warning of warnings) logger.warn({}, warning);
    const proxy = await createProxyServer(config, { logger });
    try {
      const url = await proxy.listen();
      const code = await runChild(
        [program, ...words],
        buildEnvironment(url, config, runtime),
        runtime,
      );
      if (code !== 0) throw new ExitError(code);
    } finally {
      await proxy.destroy();
      logger.flush();
    }
  },
};

/** The command needs an http address, and a port is open to every user of the machine, which a socket is not. */
function assertNoSocket({ listen }: ProxyConfig): void {
  if (listen.socket === undefined) return;
  throw new UsageError(
    '"listen.socket" is set, and the command of exec needs an http address',
    'Run "fhir-auth-proxy start" and let the command use the socket, or name a config file without "listen.socket" with --config',
  );
}

function buildEnvironment(
  url: string,
  config: ProxyConfig,
  { environment }: Runtime,
): Record<string, string | undefined> {
  return {
    ...withoutSecrets(environment, config),
    FHIR_BASE_URL: `${url}${config.routes[0]?.path ?? ''}`,
    FHIR_AUTH_PROXY_URL: url,
  };
}

/** Resolves to the exit code of the program; 128 and its number when a signal ended it, as shells count. */
function runChild(
  [program = '', ...words]: readonly string[],
  environment: Record<string, string | undefined>,
  runtime: Runtime,
): Promise<number> {
  return new Promise((resolve) => {
    // On Windows "npm" is a script, which only a shell runs: cross-spawn finds and quotes it.
    const child = spawn(program, words, {
      cwd: runtime.cwd,
      env: environment,
      stdio: 'inherit',
    });
    const stop = runtime.passSignals((signal) => {
      // A terminal sends Ctrl-C to the child as well; a second one makes many programs drop everything.
      if (signal === 'SIGINT' && runtime.stdin.isTTY) return;
      child.kill(signal);
    });
    child.once('error', (error) => {
      stop();
      resolve(reportNotStarted(program, error, runtime));
    });
    child.once('exit', (code, signal) => {
      stop();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Exit codes as shells have them: 127 not found, 126 found but not to be run. */
function reportNotStarted(
  program: string,
  { code = 'unknown' }: NodeJS.ErrnoException,
  { stderr }: Runtime,
): number {
  const reason =
    code === 'ENOENT'
      ? 'is not there: expected a program on the PATH'
      : `cannot be run (${code}): expected an executable file`;
  stderr.write(`error: the command "${program}" ${reason}\n`);
  return code === 'ENOENT' ? 127 : 126;
}
