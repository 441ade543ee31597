import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';

import type { Hint } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { whyUnreadable } from '../config/why-unreadable.ts';
import { followErrorLog } from '../hints/error-log/follow.ts';
import { parseExchangeFile } from '../hints/exchange-file.ts';
import { createLogExplainer } from '../hints/explain-log.ts';
import { explain } from '../hints/match.ts';
import type { Arguments, Command } from './command.ts';
import { ExitError } from './exit-error.ts';
import { formatHint } from './hint-text.ts';
import { EXIT, type Runtime, type StopSignal, signalExitCode, stopped } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Most characters of an exchange file; recorded ones have at most a few hundred thousand. */
const LONGEST_EXCHANGE_CHARACTERS = 16_777_216;

/** Most causes that --follow remembers; those beyond are explained each time. */
const MOST_REMEMBERED = 500;

const explainArguments = {
  file: {
    positional: true,
    type: 'string',
    describe: 'Error log, "-" for standard input; with --follow also a glob',
  },

  follow: {
    alias: 'f',
    type: 'boolean',
    default: false,
    describe: 'Go on as the log grows, through its rotation, until Ctrl-C',
  },
  exchange: {
    type: 'string',
    requiresArg: true,
    describe:
      'JSON file with "response" ("status", "body") and, if known, "request" and "error_log_lines"; "-" for standard input',
  },
  json: {
    type: 'boolean',
    default: false,
    describe:
      'Print an array of {id, certainty, title, cause, fix, evidence}; with --follow one object a line',
  },
} satisfies Arguments;

/** Explains lines of OpenEMR's error log, or a recorded exchange. */
export const explainCommand: Command<typeof explainArguments> = {
  purpose:
    'Explains failures of OpenEMR from its error log: what each line means and what to do about it. Needs no configuration and no server.',
  examples: [
    { task: 'Explain an error log', command: 'fhir-auth-proxy explain /var/log/apache2/error.log' },
    {
      task: 'Explain the log of a container',
      command:
        'docker compose exec -T openemr cat /var/log/apache2/error.log | fhir-auth-proxy explain -',
    },
    {
      task: 'Explain what is logged from now on',
      command: "fhir-auth-proxy explain --follow '/var/log/apache2/*error.log'",
    },
    {
      task: 'Explain an exchange that was recorded as JSON, for a script',
      command: 'fhir-auth-proxy explain --exchange failed.json --json',
    },
  ],
  arguments: explainArguments,
  async run({ file, follow, exchange, json }, runtime) {
    if (exchange !== undefined) {
      if (file !== undefined || follow) {
        throw new UsageError('--exchange does not go with an error log', 'Give one of them');
      }
      const text = await readWhole(openText(exchange, runtime), exchange);
      report(explain(parseExchangeFile(text)), json, runtime, 'the exchange');
      return;
    }
    if (file === undefined && runtime.stdin.isTTY) {
      throw new UsageError(
        'nothing to explain',
        'Name an error log, or pipe lines in: … | fhir-auth-proxy explain -',
      );
    }
    // yargs gives "-" as an empty positional.
    const path = file === undefined || file === '' ? '-' : file;
    if (follow) return followLog(path, json, runtime);
    const explainer = createLogExplainer();
    for await (const text of openText(path, runtime)) explainer.push(text);
    explainer.end();
    const hints = explainer.hints();
    if (json)
      writeJson(
        hints.map(({ hint }) => hint),
        runtime,
      );
    else
      for (const { hint, count } of hints)
        runtime.stdout.write(formatHint(hint, runtime.stdout, count));
    if (hints.length > 0) return;
    const messages = explainer.messages();
    if (messages === 0) throw new ProxyError('input-empty', `there is no message in "${path}"`);
    failForNothing(messages === 1 ? 'in 1 message' : `in ${messages} messages`, runtime);
  },
};

async function followLog(path: string, json: boolean, runtime: Runtime): Promise<void> {
  const stop = runtime.stopSignal();
  const explainer = createLogExplainer();
  const seen = new Set<string>();
  const write = (hints: readonly Hint[]): void => {
    for (const hint of hints) {
      // One hint may have several causes, such as different fatal errors.
      const key = `${hint.id}\n${hint.cause}`;
      const again = seen.has(key);
      if (seen.size < MOST_REMEMBERED) seen.add(key);
      if (json) runtime.stdout.writeJson(hint);
      else if (again) runtime.stdout.write(`again: ${hint.title}  ${hint.id}\n\n`);
      else runtime.stdout.write(formatHint(hint, runtime.stdout));
    }
  };
  const end = (): void => {
    if (stop.aborted) throw new ExitError(signalExitCode(stop.reason as StopSignal));
    if (seen.size === 0) failForNothing('', runtime);
  };
  if (path === '-') {
    for await (const text of openText(path, runtime, stop)) write(explainer.push(text));
    write(explainer.end());
    end();
    return;
  }
  const follower = followErrorLog({
    path: resolve(runtime.cwd, path),
    onEntries: (entries) => write(explainer.add(entries)),
  });
  await follower.catchUp();
  const { state, reason, file } = follower.state();
  runtime.stderr.write(
    state === 'following' ? `following ${file ?? path}\n` : `waiting: ${reason ?? path}\n`,
  );
  await stopped(stop);
  await follower.close();
  end();
}

function report(hints: readonly Hint[], json: boolean, runtime: Runtime, what: string): void {
  if (json) writeJson(hints, runtime);
  else for (const hint of hints) runtime.stdout.write(formatHint(hint, runtime.stdout));
  if (hints.length === 0) failForNothing(`in ${what}`, runtime);
}

function writeJson(hints: readonly Hint[], runtime: Runtime): void {
  const shown = hints.map(({ id, certainty, title, cause, fix, evidence }) => ({
    id,
    certainty,
    title,
    cause,
    fix,
    evidence,
  }));
  runtime.stdout.writeJson(shown, 2);
}

function failForNothing(where: string, runtime: Runtime): never {
  runtime.stderr.write(`nothing was recognised${where === '' ? '' : ` ${where}`}\n`);
  throw new ExitError(EXIT.failed);
}

/** The text of a file or of standard input, piece by piece, until its end or until `stop`. */
async function* openText(
  path: string,
  { stdin, cwd }: Runtime,
  stop?: AbortSignal,
): AsyncGenerator<string> {
  const stream = path === '-' ? stdin.stream : createReadStream(resolve(cwd, path));
  stream.setEncoding('utf8');
  if (stop !== undefined) addAbortSignal(stop, stream as Readable);
  try {
    for await (const chunk of stream) yield String(chunk);
  } catch (error) {
    if (stop?.aborted === true) return;
    throw new ProxyError(
      'file-unreadable',
      `cannot read ${pathInMessage(path)}: ${whyUnreadable(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function readWhole(text: AsyncIterable<string>, path: string): Promise<string> {
  let whole = '';
  for await (const chunk of text) {
    whole += chunk;
    if (whole.length > LONGEST_EXCHANGE_CHARACTERS) {
      throw new ProxyError(
        'exchange-file-invalid',
        `${pathInMessage(path)} is larger than an exchange file can be (16 MiB)`,
      );
    }
  }
  return whole;
}
