/** `init` and `exec` as a person meets them: on a pseudo-terminal. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createSelfSignedCertificate } from '../../src/sandbox/certificate.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { findFreePort } from '../support/free-port.ts';
import { NO_TERMINAL, type Terminal, openTerminal } from '../support/terminal.ts';

const BIN = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const ENTER = '\r';
const CTRL_C = '\u0003';

const options = NO_TERMINAL === undefined ? {} : { skip: NO_TERMINAL };

function open(t: TestContext, cwd: string, argv: readonly string[]): Terminal {
  assert.ok(existsSync(BIN), 'dist/cli.js is missing: npm run build');
  return openTerminal(t, process.execPath, [BIN, ...argv], { cwd });
}

async function start(t: TestContext): Promise<{ sandbox: Sandbox; cwd: string }> {
  const sandbox = await startSandbox({ tls: await createSelfSignedCertificate('127.0.0.1') });
  t.after(() => sandbox.close());
  const cwd = mkdtempSync(join(tmpdir(), 'init-terminal-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  return { sandbox, cwd };
}

it('init asks, waits for the click and shows the first answer', options, async (t) => {
  const { sandbox, cwd } = await start(t);
  const deadUrl = `http://127.0.0.1:${await findFreePort()}`;
  const terminal = open(t, cwd, ['init']);
  await terminal.shows(/Where is OpenEMR\?/);
  terminal.type(`foo://x${ENTER}`);
  await terminal.shows(/"foo:\/\/x" is no address of a server/);
  terminal.type(`${'\u007f'.repeat(7)}${deadUrl}${ENTER}`);
  await terminal.shows(/no answer from the server[^]*Where is OpenEMR\?/);
  terminal.type(`${sandbox.url}/interface/login/login.php?site=default${ENTER}`);
  await terminal.shows(/SHA-256 +(?:\w\w:){31}\w\w/);
  await terminal.shows(/Trust exactly this certificate\?/);
  terminal.type(ENTER);
  await terminal.shows(/found OpenEMR 7\.0\.3, FHIR 4\.0\.1/);
  await terminal.shows(/What may the proxy ask for\? \(reading only[^]*to navigate/);
  terminal.type(ENTER);
  await terminal.shows(/Now an administrator has to enable the client[^]*waiting for the client/);
  // Its own line, which the progress below it does not replace.
  assert.match(terminal.text(), /Ctrl-C stops, and running init again goes on from here\s*\n/);
  const added = [...sandbox.state.clients.values()].find(({ enabled }) => !enabled);
  assert.ok(added);
  added.enabled = true;
  await terminal.shows(/the client is enabled, the server gave a token/);
  await terminal.shows(
    /GET \/fhir\/Patient\?_count=1 was answered with 200: a Bundle with 1 Patient/,
  );
  await terminal.shows(/curl 'http:\/\/127\.0\.0\.1:8088\/fhir\/Patient/);
  assert.equal(await terminal.ended, 0);
  const config = readFileSync(join(cwd, 'proxy.config.json'), 'utf8');
  assert.match(config, /"system\/Patient\.read"/);
  assert.match(added.scope, /^system\/Patient\.read system\/Observation\.read /);
});

it('Ctrl-C at a question and while waiting ends with 130 and loses nothing', options, async (t) => {
  const { sandbox, cwd } = await start(t);
  const asked = open(t, cwd, ['init', sandbox.url]);
  await asked.shows(/Trust exactly this certificate\?/);
  asked.type(CTRL_C);
  assert.equal(await asked.ended, 130);
  assert.match(asked.text(), /stopped; nothing was made/);
  const pinned = open(t, cwd, ['init', sandbox.url, '--pin-certificate', 'first']);
  await pinned.shows(/What may the proxy ask for\?/);
  pinned.type(CTRL_C);
  assert.equal(await pinned.ended, 130);
  assert.match(
    pinned.text(),
    /stopped; kept certs\/127\.0\.0\.1-\d+\.pem, run init again to go on/,
  );
  const argv = [
    'init',
    sandbox.url,
    '--pin-certificate',
    'first',
    '--scopes',
    'system/Patient.read',
  ];
  const waiting = open(t, cwd, argv);
  await waiting.shows(/waiting for the client/);
  waiting.type(CTRL_C);
  assert.equal(await waiting.ended, 130);
  assert.match(waiting.text(), /everything made is kept, run init again to go on/);
  for (const client of sandbox.state.clients.values()) client.enabled = true;
  const again = open(t, cwd, ['init']);
  await again.shows(/going on with proxy\.config\.json/);
  await again.shows(/was answered with 200/);
  assert.equal(await again.ended, 0);
});

it(
  'init replaces a config file of nothing but a sandbox once asked, and keeps it',
  options,
  async (t) => {
    const { sandbox, cwd } = await start(t);
    const file = join(cwd, 'proxy.config.json');
    const own = readFileSync(new URL('../../proxy.config.json', import.meta.url), 'utf8');
    writeFileSync(file, own);
    writeFileSync(`${file}.bak`, 'older');
    const argv = ['init', sandbox.url, '--pin-certificate', 'first'];
    argv.push('--scopes', 'system/Patient.read', '--wait', '0');
    const terminal = open(t, cwd, argv);
    await terminal.shows(/holds nothing but the sandbox\. Replace it\?/);
    assert.equal(readFileSync(file, 'utf8'), own);
    terminal.type(ENTER);
    await terminal.shows(
      /kept the old file as proxy\.config\.json\.bak-2[^]*wrote proxy\.config\.json/,
    );
    assert.equal(await terminal.ended, 0);
    assert.equal(readFileSync(`${file}.bak-2`, 'utf8'), own);
    assert.equal(readFileSync(`${file}.bak`, 'utf8'), 'older');
    assert.ok(readFileSync(file, 'utf8').includes(sandbox.fhirBase));
  },
);

it('Ctrl-C reaches the command of exec once, which decides how to end', options, async (t) => {
  const { cwd } = await start(t);
  const script = `let n = 0; process.on('SIGINT', () => { n += 1; setTimeout(() => { console.log('INT ' + n); process.exit(9); }, 200); });
    console.log('running'); setInterval(() => {}, 1000);`;
  const terminal = open(t, cwd, ['exec', '--sandbox', '--', process.execPath, '-e', script]);
  await terminal.shows(/running/);
  terminal.type(CTRL_C);
  await terminal.shows(/INT 1/);
  assert.equal(await terminal.ended, 9);
});
