/** What `init` and `register` say and check of the certificate that a server shows. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { createSelfSignedCertificate } from '../../src/sandbox/certificate.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createFolderWithKey } from '../support/folder-with-key.ts';
import { createTestRuntime } from '../support/runtime.ts';

const WRONG = Array.from({ length: 32 }, () => 'AA').join(':');
const SCOPES = ['--scopes', 'system/Patient.read'];

async function start(t: TestContext) {
  const sandbox = await startSandbox({ tls: await createSelfSignedCertificate('127.0.0.1') });
  t.after(() => sandbox.close());
  return sandbox;
}

async function run(cwd: string, ...argv: string[]) {
  const runtime = createTestRuntime({ cwd });
  const code = await runProgram(argv, runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

it('a given fingerprint is compared also when an earlier run trusted the certificate', async (t) => {
  const sandbox = await start(t);
  const cwd = createFolderWithKey(t);
  const file = `certs/127.0.0.1-${new URL(sandbox.url).port}.pem`;
  const first = await run(cwd, 'register', sandbox.url, ...SCOPES, '--pin-certificate', 'first');
  assert.equal(first.code, 0, first.err);
  assert.ok(first.err.includes(`wrote ${file}`), first.err);
  const clients = sandbox.state.clients.size;
  for (const argv of [
    ['register', sandbox.url, ...SCOPES],
    ['init', sandbox.url, ...SCOPES, '--wait', '0'],
  ]) {
    const { code, err, out } = await run(cwd, ...argv, '--pin-certificate', WRONG);
    assert.equal(code, 1);
    assert.match(err, /has the SHA-256 (?:\w\w:){31}\w\w: expected AA:AA:/);
    assert.doesNotMatch(err + out, /trusted:|earlier run|registered/);
  }
  assert.equal(sandbox.state.clients.size, clients);
  const sha256 = /SHA-256 +(\S+)/.exec(first.err)?.[1] ?? '';
  for (const more of [[], ['--pin-certificate', sha256.replaceAll(':', '').toLowerCase()]]) {
    const { code, err } = await run(cwd, 'register', sandbox.url, ...SCOPES, ...more);
    assert.equal(code, 0, err);
    assert.ok(err.includes(`is the one that an earlier run trusted: ${file}`), err);
    assert.doesNotMatch(err, /pinned certificate|wrote certs/);
  }
});

it('a given fingerprint is compared also when an authority vouches for the server', async (t) => {
  const sandbox = await start(t);
  const cwd = createFolderWithKey(t);
  await run(cwd, 'register', sandbox.url, ...SCOPES, '--pin-certificate', 'first');
  const ca = `certs/127.0.0.1-${new URL(sandbox.url).port}.pem`;
  const argv = ['register', sandbox.url, ...SCOPES, '--ca', ca];
  assert.equal((await run(cwd, ...argv)).code, 0);
  const { code, err } = await run(cwd, ...argv, '--pin-certificate', WRONG);
  assert.equal(code, 1);
  assert.match(err, /expected AA:AA:/);
});

it('a fingerprint for a server without a certificate is refused', async (t) => {
  const sandbox = await startSandbox({});
  t.after(() => sandbox.close());
  const cwd = createFolderWithKey(t);
  const argv = ['register', sandbox.url, ...SCOPES, '--pin-certificate', WRONG];
  const { code, err } = await run(cwd, ...argv);
  assert.equal(code, 1);
  assert.match(err, /shows no certificate, it is not https/);
});

it('a flag that is not well-formed is named before any request, with exit code 2', async (t) => {
  let connections = 0;
  const server = createSocketServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cwd = createFolderWithKey(t);
  const cases: [string[], RegExp][] = [
    [
      [url, '--pin-certificate', '00:11'],
      /^error: --pin-certificate is "00:11": expected 32 bytes/,
    ],
    [[url, '--pin-certificate', `${WRONG}:AA`], /expected 32 bytes/],
    [[url, '--scopes', ' '], /^error: --scopes is empty/],
    [[url, '--jwks-uri', 'ftp://x'], /^error: --jwks-uri is "ftp:\/\/x"/],
    [['foo://x'], /^error: "foo:\/\/x" is no address of a server/],
    [[url, '--ca', 'nope.pem'], /^error: --ca: ".*nope\.pem" does not exist\n {2}Name an existing/],
  ];
  for (const command of ['register', 'init']) {
    for (const [argv, message] of cases) {
      const { code, err } = await run(cwd, command, ...argv);
      assert.match(err, message);
      assert.equal(code, 2, err);
    }
  }
  assert.equal(connections, 0);
});

it('a key file that cannot be used is named by its flag', async (t) => {
  const sandbox = await startSandbox({});
  t.after(() => sandbox.close());
  const cwd = createFolderWithKey(t);
  writeFileSync(join(cwd, 'bad.pem'), 'nothing', { mode: 0o600 });
  for (const command of ['init', 'register']) {
    const { code, err } = await run(cwd, command, sandbox.url, ...SCOPES, '--key', 'bad.pem');
    assert.equal(code, 2, err);
    assert.match(err, /^error: --key: .*bad\.pem/m);
  }
});

it('--ca of a removal is named by the flag', async (t) => {
  const server = createServer((_request, response) => response.writeHead(204).end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const cwd = createFolderWithKey(t);
  const filed = {
    clientId: 'a',
    registrationClientUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    registrationAccessToken: 'secret-1',
  };
  const file = join(cwd, 'registration.json');
  writeFileSync(file, JSON.stringify(filed), { mode: 0o600 });
  const { code, err } = await run(cwd, 'register', '--remove', file, '--ca', 'nope.pem');
  assert.equal(code, 2);
  assert.match(err, /^error: --ca: "/);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), filed);
});
