import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';

import type { Hint } from '../../src/base/contracts.ts';
import { createOutput } from '../../src/commands/output.ts';
import { runProgram } from '../../src/commands/program.ts';
import type { Runtime } from '../../src/commands/runtime.ts';

const LINE =
  '[Wed Jul 23 20:59:09.363827 2025] [php:notice] [pid 1448273] [client 10.0.0.5:59853] [2025-07-23T16:59:09.363409-04:00] OpenEMR.ERROR: CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client {"client":"abc","exceptionMessage":"Malformed jwks missing keys property"} []\n';
const DISABLED =
  '[2026-11-23T18:27:27.046613+00:00] OpenEMR.ERROR: Client is not enabled {"client_id":"abc"} []\n';

interface Run {
  exitCode: Promise<number>;
  out(): string;
  err(): string;
  /** Resolves when standard output holds the text. */
  shown(text: string): Promise<void>;
  stop(): void;
}

function explain(
  words: readonly string[],
  options: { stdin?: Readable; isTTY?: boolean; cwd?: string } = {},
): Run {
  const stop = new AbortController();
  const out = createRecorder();
  const err = createRecorder();
  const runtime: Runtime = {
    stdin: { isTTY: options.isTTY ?? false, stream: options.stdin ?? Readable.from([]) },
    stdout: out.output,
    stderr: err.output,
    environment: {},
    cwd: options.cwd ?? tmpdir(),
    stopSignal: () => stop.signal,
    raise: () => {},
    hideVariables() {},
    passSignals: () => () => {},
    atExit() {},
  };
  return {
    exitCode: runProgram(['explain', ...words], runtime, { version: '0.0.0' }),
    out: out.text,
    err: err.text,
    shown: out.shown,
    stop: () => stop.abort('SIGINT'),
  };
}

function createRecorder() {
  let text = '';
  const waiting: { part: string; resolve: () => void }[] = [];
  const stream = new Writable({
    write(part: Buffer, _encoding, done) {
      text += part.toString();
      for (const each of waiting) if (text.includes(each.part)) each.resolve();
      done();
    },
  });
  return {
    output: createOutput({ stream, isTTY: false, columns: 100, noColor: undefined }),
    text: () => text,
    shown: (part: string) =>
      new Promise<void>((resolve) => {
        if (text.includes(part)) resolve();
        waiting.push({ part, resolve });
      }),
  };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'explain-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

for (const words of [['-'], []]) {
  test(`a piped line is explained: explain ${words.join(' ')}`, async () => {
    const run = explain(words, { stdin: Readable.from([LINE]) });
    assert.equal(await run.exitCode, 0);
    assert.match(run.out(), /jwks-missing-keys/);
    assert.match(run.out(), /Wrap the key: publish or register\s+\{"keys": \[/);
    assert.match(run.out(), /evidence\s+error log: CustomClientCredentialsGrant/);
  });
}

test('each cause in a file is explained once, with how often it was seen', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, LINE + DISABLED + LINE + LINE);
  const run = explain([path]);
  assert.equal(await run.exitCode, 0);
  assert.match(run.out(), /\(seen 3 times\)\s+jwks-missing-keys/);
  assert.match(run.out(), /not enabled\s+client-disabled/);
  assert.equal(run.out().match(/^ {2}cause/gm)?.length, 2);
});

test('--json gives an array of hints with exactly the documented members', async () => {
  const run = explain(['-', '--json'], { stdin: Readable.from([LINE, DISABLED]) });
  assert.equal(await run.exitCode, 0);
  const hints = JSON.parse(run.out()) as Hint[];
  assert.deepEqual(
    hints.map(({ id }) => id),
    ['jwks-missing-keys', 'client-disabled'],
  );
  for (const hint of hints) {
    assert.deepEqual(Object.keys(hint), ['id', 'certainty', 'title', 'cause', 'fix', 'evidence']);
    assert.equal(hint.certainty, 'certain');
  }
});

test('exit code 1 and an empty array when nothing was recognised', async () => {
  const run = explain(['-', '--json'], { stdin: Readable.from(['all is well\n']) });
  assert.equal(await run.exitCode, 1);
  assert.deepEqual(JSON.parse(run.out()), []);
  assert.match(run.err(), /nothing was recognised in 1 message\n/);
});

test('an empty input is an error', async () => {
  const run = explain(['-'], { stdin: Readable.from([]) });
  assert.equal(await run.exitCode, 1);
  assert.equal(run.err(), 'error: there is no message in "-"\n');
});

test('--exchange explains a recorded exchange', async (t) => {
  const path = join(await folder(t), 'x.json');
  await writeFile(
    path,
    JSON.stringify({
      response: { status: 401, body: { error: 'invalid_client', message: 'x' } },
      error_log_lines: [DISABLED.trim()],
    }),
  );
  const run = explain(['--exchange', path, '--json']);
  assert.equal(await run.exitCode, 0);
  assert.equal((JSON.parse(run.out()) as Hint[])[0]?.id, 'client-disabled');
});

test('--exchange without a log gives the checklist as likely', async () => {
  const text = JSON.stringify({
    request: { method: 'POST', url: 'https://x.example/oauth2/default/token' },
    response: { status: 400, body: '{"error":"invalid_client"}' },
  });
  const run = explain(['--exchange', '-'], { stdin: Readable.from([text]) });
  assert.equal(await run.exitCode, 0);
  assert.match(run.out(), /\(likely\)\s+assertion-refused/);
});

test('--follow explains new lines, a repeated cause in one line, until it is stopped', async (t) => {
  const cwd = await folder(t);
  await writeFile(join(cwd, 'error.log'), LINE);
  const run = explain(['--follow', '*.log'], { cwd });
  // The old line is not explained: following begins at the end.
  while (!run.err().includes('following')) await new Promise(setImmediate);
  await appendFile(join(cwd, 'error.log'), DISABLED);
  await run.shown('client-disabled');
  await appendFile(join(cwd, 'error.log'), DISABLED);
  await run.shown('again: ');
  run.stop();
  assert.equal(await run.exitCode, 130);
  assert.doesNotMatch(run.out(), /jwks-missing-keys/);
});

test('--follow explains standard input line by line and ends with it, or when it is stopped', async () => {
  const stdin = new PassThrough();
  const run = explain(['-f', '-', '--json'], { stdin });
  stdin.write(LINE);
  await run.shown('jwks-missing-keys');
  stdin.end();
  assert.equal(await run.exitCode, 0);
  assert.equal((JSON.parse(run.out()) as Hint).id, 'jwks-missing-keys');

  const endless = explain(['-f', '-'], { stdin: new PassThrough() });
  endless.stop();
  assert.equal(await endless.exitCode, 130);
});

test('wrong usage ends with 2, what cannot be read with 1', async (t) => {
  const cwd = await folder(t);
  const table: [words: string[], exitCode: number, message: RegExp, isTTY?: boolean][] = [
    [[], 2, /nothing to explain/, true],
    [['x.log', '--exchange', 'x.json'], 2, /does not go with an error log/],
    [['--nonsense'], 2, /nonsense/],
    [['missing.log'], 1, /cannot read "missing\.log": there is no such file/],
    [['.'], 1, /cannot read "\.": it is a folder/],
    [['--exchange', 'missing.json'], 1, /cannot read "missing\.json": there is no such file/],
  ];
  for (const [words, exitCode, message, isTTY = false] of table) {
    const run = explain(words, { cwd, isTTY });
    assert.equal(await run.exitCode, exitCode, words.join(' '));
    assert.match(run.err(), message);
  }
});
