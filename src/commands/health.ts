import { request, type RequestOptions } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import { READYZ_PATH } from '../base/own-paths.ts';
import { callableHost, isWildcardHost, withBrackets, withoutBrackets } from '../config/host.ts';
import { loadListen } from '../config/load-listen.ts';
import type { ListenConfig } from '../config/schema.ts';
import type { Arguments, Command } from './command.ts';
import { configArguments } from './config-flag.ts';
import { ExitError } from './exit-error.ts';
import { EXIT } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Longer than any pause of a healthy process, short enough for a container's health check. */
const ANSWER_WITHIN_MS = 2000;
const ASK_AGAIN_MS = 100;
const LONGEST_WAIT_SECONDS = 3600;

const healthArguments = {
  ...configArguments,
  host: { type: 'string', requiresArg: true, describe: 'Address it listens on' },
  port: {
    alias: 'p',
    type: 'string',
    requiresArg: true,
    describe: 'Port it listens on',
  },
  socket: {
    type: 'string',
    requiresArg: true,
    describe: 'Unix socket it listens on',
  },
  wait: {
    alias: 'w',
    type: 'string',
    default: '0',
    requiresArg: true,
    parse: parseSeconds,
    describe: 'Seconds to go on asking until it is ready',
  },
} satisfies Arguments;

/** Asks the running proxy whether it is ready, for health checks of containers and for scripts. */
export const healthCommand: Command<typeof healthArguments> = {
  purpose:
    'Asks the proxy that runs on this machine whether it is ready, at the address that the configuration, the environment or a flag gives. Exit code 0 means yes, 1 no. It asks the proxy alone, never a server behind it.',
  examples: [
    { task: 'Ask', command: 'fhir-auth-proxy health' },
    {
      task: 'Start the proxy in the background and go on once it is ready',
      command: 'fhir-auth-proxy --sandbox & fhir-auth-proxy health --wait 10',
    },
    {
      task: 'Health check of a container image',
      command: 'HEALTHCHECK CMD ["fhir-auth-proxy", "health"]',
    },
  ],
  arguments: healthArguments,
  async run({ config: file, host, port, socket, wait }, { environment, cwd, stdout, stderr }) {
    const flags = { host, port, socket };
    const { listen, error } = await loadListen({ file, environment, cwd, flags });
    const address = addressOf(listen);
    // A flag that says where to ask needs no file.
    if (error !== undefined && port === undefined && socket === undefined) {
      stderr.write(
        `warning: the configuration cannot be used, so ${address.shown} is asked: ${error.message.split('\n')[0]}\n`,
      );
    }
    const giveUp = Date.now() + wait * 1000;
    let finding = await askReady(address);
    while (finding !== undefined && Date.now() < giveUp) {
      await sleep(ASK_AGAIN_MS);
      finding = await askReady(address);
    }
    if (finding === undefined) {
      stdout.write('ready\n');
      return;
    }
    stderr.write(`not ready: ${finding}\n`);
    throw new ExitError(EXIT.failed);
  },
};

function parseSeconds(text: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= LONGEST_WAIT_SECONDS) return seconds;
  throw new UsageError(
    `--wait is "${text}": expected seconds, from 0 to ${String(LONGEST_WAIT_SECONDS)}`,
  );
}

interface Address {
  /** As people read it. */
  shown: string;
  isSecure: boolean;
  connection: Pick<RequestOptions, 'host' | 'port' | 'socketPath'>;
}

function addressOf({ host, port, socket, tls }: ListenConfig): Address {
  if (socket !== undefined)
    return { shown: `"${socket}"`, isSecure: false, connection: { socketPath: socket } };
  if (port === 0) {
    throw new UsageError(
      'the configuration says port 0, a free one, so the real one is not known here',
      'Name it with "--port"',
    );
  }
  // A wildcard cannot be called.
  const isEveryIpv6 = host !== undefined && isWildcardHost(host) && host.includes(':');
  const bare = isEveryIpv6 ? '::1' : withoutBrackets(callableHost(host));
  const isSecure = tls !== undefined;
  const shown = `${isSecure ? 'https' : 'http'}://${withBrackets(bare)}:${String(port)}`;
  return { shown, isSecure, connection: { host: bare, port } };
}

/** Resolves to what is wrong, or to undefined when the proxy is ready. */
function askReady({ shown, isSecure, connection }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = (isSecure ? requestSecurely : request)(
      {
        ...connection,
        // A word about readiness is all that is asked, of this machine, whatever names its certificate has.
        rejectUnauthorized: false,
        path: READYZ_PATH,
        // A name that the proxy always answers to, however it is reached.
        headers: { Host: 'localhost' },
        agent: false,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk.slice(0, 100);
        });
        response.once('error', () => resolve(`${shown} did not answer in full`));
        response.once('end', () => resolve(judge(response.statusCode, text, shown)));
      },
    );
    asked.once('error', ({ name, code, message }: NodeJS.ErrnoException) => {
      resolve(
        name === 'AbortError'
          ? `${shown} did not answer within ${String(ANSWER_WITHIN_MS / 1000)} s`
          : `nothing answers on ${shown} (${code ?? message})`,
      );
    });
    asked.end();
  });
}

function judge(status: number | undefined, text: string, shown: string): string | undefined {
  if (status === 200 && text === 'ready\n') return undefined;
  if (status === 503) return `the proxy on ${shown} says "${text.trim().slice(0, 40)}"`;
  return `what answers on ${shown} is not fhir-auth-proxy (status ${String(status)})`;
}
