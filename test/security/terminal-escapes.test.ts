/**
 * Text of servers and files must not drive the terminal that shows it: move the cursor, set the title,
 * hide lines or turn their direction around (the class of CVE-2003-0063 and CVE-2021-42574).
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, describe, it } from 'node:test';

import { createDialogue, type Dialogue } from '../../src/commands/dialogue.ts';
import { createOutput, type Output } from '../../src/commands/output.ts';
import { runProgram } from '../../src/commands/program.ts';
import { styled, type TerminalText } from '../../src/commands/terminal-text.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { startCli } from '../support/cli.ts';
import { createFolder, createFolderWithKey } from '../support/folder-with-key.ts';
import { createTestRuntime } from '../support/runtime.ts';

/** Sets the title, clears the screen, goes up, by C0 and by C1, rings, and turns the direction around. */
const HOSTILE =
  '<\u001B]0;owned\u0007\u001B[2J\u001B[35m\r\b\u009B31m\u009D0;x\u009C\u0090\u007F\u202E\u2066\u200F\u061C\u2028>';
/** What must be left nowhere, in text that only Output has written. */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
/** The escape sequences of our own styles, and of the line that is emptied. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const OWN = /\u001B\[(?:1|2|22|31|32|33|34|36|39)m|\r\u001B\[K/g;

function assertClean(text: string): void {
  const found = UNSAFE.exec(text.replaceAll(OWN, ''));
  if (found === null) return;
  const around = text.replaceAll(OWN, '').slice(Math.max(0, found.index - 60), found.index + 60);
  assert.fail(`reached the terminal: ${JSON.stringify(around)}`);
}

/** An Output and what it wrote. */
function record(isTTY: boolean, noColor?: string): { output: Output; text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { output: createOutput({ stream, isTTY, columns: 80, noColor }), text: () => text };
}

describe('the writer of the terminal', () => {
  const cases: [string, TerminalText, string][] = [
    ['shows controls in a string as a space', `a${HOSTILE}b`, 'a< ]0;owned [2J [35m 31m 0;x >b'],
    ['keeps line feeds', 'a\nb\n', 'a\nb\n'],
    ['leaves other text as it is', 'Müller 東京 👩‍⚕️ café', 'Müller 東京 👩‍⚕️ café'],
    [
      'styles text, and cleans what is styled',
      [styled('red', '\u001B[5mx'), 'y'],
      '\u001B[31m [5mx\u001B[39my',
    ],
    ['does not take a string for a style', '\u001B[31mx\u001B[39m', ' [31mx [39m'],
  ];
  for (const [title, text, expected] of cases) {
    it(title, () => {
      const { output, text: written } = record(true);
      output.write(text);
      assert.equal(written(), expected);
    });
  }

  it('writes no style without a terminal, nor with NO_COLOR', () => {
    for (const { output, text } of [record(false), record(true, '1')]) {
      output.write([styled('red', 'x'), styled('bold', HOSTILE)]);
      assert.ok(!text().includes('\u001B'));
    }
  });

  it('escapes controls in JSON, which stays the same value', () => {
    for (const indent of [0, 2]) {
      const { output, text } = record(false);
      const value = { [HOSTILE]: [HOSTILE, 'plain\ntext'] };
      output.writeJson(value, indent);
      assertClean(text());
      assert.deepEqual(JSON.parse(text()), value);
    }
  });
});

describe('a dialogue on a terminal', () => {
  const shown: [string, (dialogue: Dialogue) => Promise<unknown> | void][] = [
    ['begin', (dialogue) => dialogue.begin(HOSTILE)],
    ['step', (dialogue) => dialogue.step(HOSTILE)],
    ['warn', (dialogue) => dialogue.warn(HOSTILE)],
    ['note', (dialogue) => dialogue.note(HOSTILE, [HOSTILE, HOSTILE.repeat(20)])],
    [
      'progress',
      (dialogue) => {
        const progress = dialogue.progress(HOSTILE);
        progress.update(HOSTILE);
        progress.done(HOSTILE);
      },
    ],
    [
      'askText',
      (dialogue) =>
        dialogue.askText({
          flag: '--x',
          message: HOSTILE,
          placeholder: HOSTILE,
          expected: HOSTILE,
          check: (text) => (text === 'no' ? HOSTILE : undefined),
        }),
    ],
    [
      'askConfirm',
      (dialogue) => dialogue.askConfirm({ flag: '--x', message: HOSTILE, expected: HOSTILE }),
    ],
    [
      'askMany',
      (dialogue) =>
        dialogue.askMany({
          flag: '--x',
          message: HOSTILE,
          expected: HOSTILE,
          choices: [{ value: HOSTILE, hint: HOSTILE }],
          initial: [HOSTILE],
        }),
    ],
  ];
  for (const [name, show] of shown) {
    it(`${name} shows no control character of what it is given`, async () => {
      const runtime = createTestRuntime({ isTTY: true });
      const stdin = new PassThrough();
      const dialogue = await createDialogue({ ...runtime, stdin: { isTTY: true, stream: stdin } });
      const done = show(dialogue);
      if (name === 'askText') {
        await runtime.errMatches(/owned/);
        stdin.write('no\r');
        await runtime.errMatches(/owned[^]*owned/);
        stdin.write('x\r');
      } else if (name.startsWith('ask')) {
        await runtime.errMatches(/owned/);
        stdin.write('\r');
      }
      await done;
      const text = runtime.err();
      assert.match(text, /owned/);
      // The prompts move the cursor themselves, so the parts of ours that do something else are looked for.
      for (const part of [
        '\u001B]0;',
        '\u0007',
        '\u001B[35m',
        '\b',
        '\u009B',
        '\u009D',
        '\u0090',
      ]) {
        assert.ok(!text.includes(part), JSON.stringify(part));
      }
      assert.doesNotMatch(text, /[\u202e\u2066\u200f\u061c\u2028]/);
    });
  }
});

/** A server of which every text is hostile. */
async function startHostileServer(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const path = request.url ?? '';
    request.resume();
    let status = 400;
    let body: object = {
      error: `invalid${HOSTILE}`,
      error_description: HOSTILE,
      error_uri: HOSTILE,
    };
    if (path.endsWith('smart-configuration')) {
      status = 200;
      body = {
        issuer: HOSTILE,
        token_endpoint: `${origin}/oauth2/default/token`,
        registration_endpoint: `${origin}/oauth2/default/registration`,
        scopes_supported: ['system/Patient.read', `system/${HOSTILE}.read`],
        capabilities: [HOSTILE],
      };
    } else if (path.endsWith('metadata')) {
      status = 200;
      body = {
        resourceType: 'CapabilityStatement',
        fhirVersion: HOSTILE,
        software: { name: HOSTILE, version: HOSTILE },
        rest: [{ mode: 'server', resource: [{ type: HOSTILE }] }],
      };
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('commands before a hostile server', () => {
  const config = (upstream: string) =>
    JSON.stringify({
      routes: [
        {
          path: '/fhir',
          upstream: `${upstream}/apis/default/fhir`,
          client: { id: 'a', key: 'keys/private.jwk.json', scopes: ['system/Patient.read'] },
        },
      ],
    });
  const commands: [string, (origin: string) => string[]][] = [
    [
      'init',
      (origin) => ['init', origin, '--scopes', 'system/Patient.read', '--wait', '0', '--force'],
    ],
    [
      'init, scope not announced',
      (origin) => ['init', origin, '--scopes', 'system/X.read', '--force'],
    ],
    ['register', (origin) => ['register', origin, '--scopes', 'system/Patient.read']],
    [
      'register --json',
      (origin) => ['register', origin, '--scopes', 'system/Patient.read', '--json'],
    ],
    ['token', () => ['token']],
    ['doctor', () => ['doctor']],
    ['doctor --json', () => ['doctor', '--json']],
    ['key check', () => ['key', 'check', 'hostile.json']],
    ['key check --json', () => ['key', 'check', 'hostile.json', '--json']],
    ['explain', () => ['explain', 'hostile.log']],
    ['explain --json', () => ['explain', 'hostile.log', '--json']],
    ['a command line', () => ['start', '--config', HOSTILE, HOSTILE]],
    ['a file name', () => ['explain', HOSTILE.replaceAll('/', '')]],
  ];
  for (const [title, argv] of commands) {
    for (const isTTY of [false, true]) {
      // A terminal would be asked; that is the dialogue's own test.
      if (isTTY && /^(?:init|register)/.test(title)) continue;
      it(`${title}${isTTY ? ' on a terminal' : ''}`, async (t) => {
        const origin = await startHostileServer(t);
        const folder = createFolderWithKey(t);
        writeFileSync(join(folder, 'proxy.config.json'), config(origin));
        writeFileSync(
          join(folder, 'hostile.json'),
          JSON.stringify({
            keys: [{ kty: HOSTILE, kid: HOSTILE, use: HOSTILE, key_ops: [HOSTILE] }],
          }),
        );
        writeFileSync(
          join(folder, 'hostile.log'),
          `[Wed Jul 23 20:59:09.363827 2025] [php:notice] [pid 1] OpenEMR.ERROR: CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client {"client":"${HOSTILE.replace(/[\r\u2028]/g, '')}","exceptionMessage":"Malformed jwks missing keys property"} []\n`,
        );
        const runtime = createTestRuntime({ cwd: folder, isTTY });
        await runProgram(argv(origin), runtime, { version: '0' });
        assert.notEqual(runtime.out() + runtime.err(), '');
        assertClean(runtime.out());
        assertClean(runtime.err());
      });
    }
  }

  it('explain --follow', async (t) => {
    const runtime = createTestRuntime({
      cwd: createFolder(t),
      isTTY: true,
      stdin: `OpenEMR.ERROR: Client is not enabled {"client_id":"${HOSTILE}"} []\n`,
    });
    await runProgram(['explain', '--follow', '-'], runtime, { version: '0' });
    assertClean(runtime.out() + runtime.err());
  });
});

it('an error that nothing has caught ends the program without its control characters', async (t) => {
  const script = `setTimeout(() => { throw new Error(${JSON.stringify(HOSTILE)}); }, 300)`;
  const run = startCli(['start', '--sandbox', '--port', '0'], {
    cwd: createFolder(t),
    environment: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` },
    signal: t.signal,
  });
  assert.equal(await run.ended, 1);
  assert.match(run.err(), /internal error: .*owned/);
  assertClean(run.err());
});

describe('the log of a running proxy', () => {
  for (const format of ['pretty', 'json'] as const) {
    it(`cleans messages, fields and errors as ${format}`, () => {
      const stream = new PassThrough();
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const logger = createLogger({ format, level: 'debug', stream, color: true });
      const error = Object.assign(new Error(HOSTILE), { code: 'x' });
      logger.warn({ reason: HOSTILE, list: [HOSTILE], object: { [HOSTILE]: 1 }, error }, HOSTILE);
      logger.flush();
      assert.match(text, /owned/);
      assertClean(text);
    });
  }
});
