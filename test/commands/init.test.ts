import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { Agent, fetch } from 'undici';

import { runProgram } from '../../src/commands/program.ts';
import type { ProxyConfigInput } from '../../src/config/schema.ts';
import { createSelfSignedCertificate } from '../../src/sandbox/certificate.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/index.ts';
import { createFolder, createFolderWithKey } from '../support/folder-with-key.ts';
import { findFreePort } from '../support/free-port.ts';
import { es384Key } from '../support/keys.ts';
import { createTestRuntime, type TestRuntime } from '../support/runtime.ts';

const SCOPES = ['--scopes', 'system/Patient.read'];

async function start(t: TestContext, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  t.after(() => sandbox.close());
  return sandbox;
}

const startTls = async (t: TestContext, options: SandboxOptions = {}) =>
  start(t, { ...options, tls: await createSelfSignedCertificate('127.0.0.1') });

function init(t: TestContext, cwd: string, ...argv: string[]) {
  const runtime = createTestRuntime({ cwd });
  const ended = runProgram(['init', ...argv], runtime, { version: '0' });
  t.after(async () => {
    runtime.stop('SIGTERM');
    await ended;
  });
  return { runtime, ended };
}

function readConfig(cwd: string): ProxyConfigInput {
  return JSON.parse(readFileSync(join(cwd, 'proxy.config.json'), 'utf8')) as ProxyConfigInput;
}

/** What an administrator does on the page, for every client that waits for it. */
async function enableAll({ url, state }: Sandbox): Promise<void> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  for (const [id, client] of state.clients) {
    if (client.enabled) continue;
    const answer = await fetch(`${url}/interface/smart/admin-client.php`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: id, action: 'enable' }),
      redirect: 'manual',
      dispatcher,
    });
    assert.equal(answer.status, 303);
  }
  await dispatcher.destroy();
}

/** Runs to the end, with the click once init says where to click. */
async function initWithClick(t: TestContext, sandbox: Sandbox, cwd: string, ...argv: string[]) {
  const { runtime, ended } = init(t, cwd, ...argv);
  await Promise.race([runtime.errMatches(/waiting for the client/), ended]);
  await enableAll(sandbox);
  return { code: await ended, out: runtime.out(), err: runtime.err() };
}

interface Made {
  clientId: string;
  enabled: boolean;
  grantedScopes: string[];
  adminPage: string;
  answer: { target: string; status: number; resourceType: string; total: number };
}

describe('init without a terminal', () => {
  for (const version of ['7.0.3', '8.0.0'] as const) {
    it(`leads from nothing to an answer of OpenEMR ${version} with one click`, async (t) => {
      const sandbox = await startTls(t, { version });
      const cwd = createFolder(t);
      execFileSync('git', ['init', '--quiet'], { cwd });
      const argv = [sandbox.url, ...SCOPES, '--pin-certificate', 'first', '--json'];
      const { code, out, err } = await initWithClick(t, sandbox, cwd, ...argv);
      assert.equal(code, 0, err);
      const made = JSON.parse(out) as Made;
      assert.deepEqual([made.enabled, made.grantedScopes], [true, ['system/Patient.read']]);
      assert.deepEqual(made.answer, {
        target: '/fhir/Patient?_count=1',
        status: 200,
        resourceType: 'Bundle',
        total: 1,
      });
      assert.match(
        err,
        new RegExp(
          `found OpenEMR ${version === '7.0.3' ? '7\\.0\\.3' : '7\\.0\\.4 or later'}, FHIR 4\\.0\\.1`,
        ),
      );
      assert.match(
        err,
        /subject +CN=localhost\n.*issuer +CN=.*\n.*expires +\d{4}-.*\n.*SHA-256 +(?:[0-9A-F]{2}:){31}/,
      );
      assert.ok(err.includes(`${sandbox.url}/interface/smart/admin-client.php`));
      assert.doesNotMatch(out + err, /eyJ|"d"|Oakenfold/);
      const [route] = readConfig(cwd).routes;
      assert.deepEqual(route, {
        path: '/fhir',
        upstream: sandbox.fhirBase,
        client: {
          id: made.clientId,
          key: 'keys/private.jwk.json',
          scopes: ['system/Patient.read'],
        },
        tls: { ca: `certs/127.0.0.1-${new URL(sandbox.url).port}.pem` },
        access: { readOnly: true },
      });
      assert.equal(statSync(join(cwd, 'keys/private.jwk.json')).mode & 0o777, 0o600);
      assert.equal(readFileSync(join(cwd, '.gitignore'), 'utf8'), 'keys/\n');
      const registered = sandbox.state.clients.get(made.clientId);
      assert.doesNotMatch(registered?.jwks ?? '', /"(?:d|p|q|dp|dq|qi)"/);
    });
  }

  it('goes on where it was stopped, and changes nothing that is there', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolderWithKey(t);
    const first = init(t, cwd, sandbox.url, ...SCOPES);
    await first.runtime.errMatches(/waiting for the client/);
    first.runtime.stop('SIGINT');
    assert.equal(await first.ended, 130);
    assert.match(first.runtime.err(), /run init again to go on\n$/);
    const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
    const [config, key] = [read('proxy.config.json'), read('keys/private.jwk.json')];
    const clients = sandbox.state.clients.size;
    await enableAll(sandbox);
    const again = init(t, cwd);
    assert.equal(await again.ended, 0, again.runtime.err());
    assert.match(again.runtime.err(), /^going on with proxy\.config\.json\n/);
    // Not the resource itself: it is data of a patient.
    assert.equal(again.runtime.out(), '');
    assert.match(
      again.runtime.err(),
      /GET \/fhir\/Patient\?_count=1 was answered with 200: a Bundle with 1 Patient\n/,
    );
    assert.match(again.runtime.err(), /curl 'http:\/\/127\.0\.0\.1:8088\/fhir\/Patient\?_count=1'/);
    assert.deepEqual([read('proxy.config.json'), read('keys/private.jwk.json')], [config, key]);
    assert.equal(sandbox.state.clients.size, clients);

    const other = init(t, cwd, 'https://other.example');
    assert.equal(await other.ended, 2);
    assert.match(other.runtime.err(), /"proxy\.config\.json" is there already and leads to http/);
    assert.match(other.runtime.err(), /--force/);

    const forced = init(t, cwd, sandbox.url, ...SCOPES, '--force', '--wait', '0', '--json');
    assert.equal(await forced.ended, 0, forced.runtime.err());
    assert.equal(read('keys/private.jwk.json'), key);
    assert.notEqual(read('proxy.config.json'), config);
    assert.equal((JSON.parse(forced.runtime.out()) as Made).enabled, false);
  });

  it('never asks, and names what is missing', async (t) => {
    const sandbox = await startTls(t);
    const cwd = createFolderWithKey(t);
    const certificate = /SHA-256 +((?:\w\w:){31}\w\w)/;
    const cases: [string[], RegExp][] = [
      [[], /^error: the URL of the server is missing/],
      [
        [sandbox.url],
        /error: --pin-certificate is missing: .*the server shows (?:\w\w:){31}.*; --scopes is missing: /,
      ],
      [
        [sandbox.url, '--pin-certificate', 'first'],
        /error: --scopes is missing: .* of: .*system\/Patient\.read /,
      ],
      [['ftp://x', ...SCOPES], /"ftp:\/\/x" is no address of a server/],
      [[sandbox.url, '--wait', 'x'], /--wait is "x"/],
      [[sandbox.url, '--path', 'a b'], /^error: --path is "a b": expected a path such as/],
      [[sandbox.url, '--client-id', ' '], /^error: --client-id is " ": expected an id/],
      [
        [sandbox.url, '--host', '0.0.0.0'],
        /--host is "0\.0\.0\.0": the proxy would answer to no name/,
      ],
      [
        [sandbox.url, '--pin-certificate', 'first', '--scopes', 'system/Patent.read'],
        /the server does not have "system\/Patent\.read": expected scopes of: /,
      ],
    ];
    for (const [argv, message] of cases) {
      const { runtime, ended } = init(t, cwd, ...argv);
      const code = await ended;
      assert.match(runtime.err(), message);
      assert.equal(code, 2);
    }
    const other = Array.from({ length: 32 }, () => 'AB').join(':');
    const wrong = init(t, createFolderWithKey(t), sandbox.url, '--pin-certificate', other);
    assert.equal(await wrong.ended, 1);
    const sha256 = certificate.exec(wrong.runtime.err())?.[1] ?? '';
    assert.match(
      wrong.runtime.err(),
      /has the SHA-256 .*: expected AB:AB:.*\. Another machine may be in between/,
    );
    const right = init(
      t,
      createFolderWithKey(t),
      sandbox.url,
      '--pin-certificate',
      sha256.toLowerCase(),
    );
    assert.equal(await right.ended, 2);
    assert.match(right.runtime.err(), /--scopes is missing/);
  });

  it('notices that a pinned certificate has changed', async (t) => {
    const sandbox = await startTls(t);
    const cwd = createFolderWithKey(t);
    const { port } = new URL(sandbox.url);
    const { cert } = await createSelfSignedCertificate('127.0.0.1');
    mkdirSync(join(cwd, 'certs'));
    writeFileSync(join(cwd, `certs/127.0.0.1-${port}.pem`), cert);
    const { runtime, ended } = init(t, cwd, sandbox.url, '--pin-certificate', 'first');
    assert.equal(await ended, 1);
    assert.match(runtime.err(), /holds the certificate with SHA-256 .* but "https:.*" shows /);
    assert.equal(readFileSync(join(cwd, `certs/127.0.0.1-${port}.pem`), 'utf8'), cert);
  });

  it('says what to enter by hand when registration is closed, and goes on with --client-id', async (t) => {
    const sandbox = await start(t);
    const url = await startWithoutRegistration(t, sandbox);
    const cwd = createFolderWithKey(t);
    const closed = init(t, cwd, url, ...SCOPES);
    assert.equal(await closed.ended, 1);
    const err = closed.runtime.err();
    assert.match(err, /is closed: it answered with status 404/);
    assert.match(err, /Enter this at \S+\/interface\/smart\/register-app\.php:/);
    assert.match(
      err,
      /Confidential\n[^]*Redirect URI +https:\/\/localhost\/\n[^]*system\/Patient\.read\n/,
    );
    assert.match(err, /run it with --client-id\n$/);
    const jwks = JSON.parse(/JSON Web Key Set +(.*)/.exec(err)?.[1] ?? '') as { keys: object[] };
    assert.deepEqual(Object.keys(jwks.keys[0] ?? {}).sort(), [
      'alg',
      'e',
      'kid',
      'kty',
      'n',
      'use',
    ]);
    sandbox.state.clients.set('by-hand', {
      id: 'by-hand',
      name: 'by hand',
      confidential: true,
      enabled: true,
      scope: 'system/Patient.read',
      redirectUris: ['https://localhost/'],
      jwks: JSON.stringify(jwks),
      jwksUri: '',
      registeredAtMs: 0,
    });
    const goOn = init(t, cwd, url, ...SCOPES, '--client-id', 'by-hand', '--json');
    assert.equal(await goOn.ended, 0, goOn.runtime.err());
    assert.match(goOn.runtime.err(), /took the key that is there/);
    assert.equal((JSON.parse(goOn.runtime.out()) as Made).answer.status, 200);
  });

  it('explains a refused registration', async (t) => {
    const sandbox = await start(t, { settings: { systemScopes: false } });
    const { runtime, ended } = init(t, createFolderWithKey(t), sandbox.url, ...SCOPES);
    assert.equal(await ended, 1);
    assert.match(runtime.err(), /announces no system scopes: switch on .*FHIR System Scopes/);
    assert.match(runtime.err(), /scope-invalid\n +cause [^]*\n +fix /);
  });

  it('ends at once when waiting cures nothing, with the hint', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolderWithKey(t);
    const argv = [sandbox.url, ...SCOPES, '--client-id', 'nobody', '--error-log', sandbox.errorLog];
    const { runtime, ended } = init(t, cwd, ...argv);
    assert.equal(await ended, 1);
    assert.match(runtime.err(), /client-unknown/);
    const timed = init(t, createFolderWithKey(t), sandbox.url, ...SCOPES, '--wait', '1');
    assert.equal(await timed.ended, 1);
    assert.match(timed.runtime.err(), /Run init again to go on from here\n$/);
  });

  it('registers the address of the keys, and publishes them while it waits', async (t) => {
    const sandbox = await start(t);
    const port = await findFreePort();
    const cwd = createFolderWithKey(t);
    const argv = [sandbox.url, ...SCOPES, '--jwks-uri', 'auto', '--port', String(port), '--json'];
    const { code, out, err } = await initWithClick(t, sandbox, cwd, ...argv);
    assert.equal(code, 0, err);
    const { clientId } = JSON.parse(out) as Made;
    const uri = `http://127.0.0.1:${port}/.well-known/jwks.json`;
    assert.equal(sandbox.state.clients.get(clientId)?.jwksUri, uri);
    assert.match(err, /"127\.0\.0\.1" in .* is the server's own localhost/);
    assert.deepEqual(readConfig(cwd).listen, { port });
  });

  it('refuses a key that OpenEMR does not take, before it registers anything', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolder(t);
    const clients = sandbox.state.clients.size;
    const { text } = es384Key();
    writeFileSync(join(cwd, 'es.jwk.json'), text, { mode: 0o600 });
    for (const command of ['init', 'register']) {
      const runtime = createTestRuntime({ cwd });
      const argv = [command, sandbox.url, ...SCOPES, '--key', 'es.jwk.json'];
      assert.equal(await runProgram(argv, runtime, { version: '0' }), 2);
      assert.match(
        runtime.err(),
        /error: --key: ".*es\.jwk\.json" is a key for ES384, and OpenEMR takes RS384 only/,
      );
    }
    assert.equal(sandbox.state.clients.size, clients);
  });

  it('says that the port is in use before it says how to start', async (t) => {
    const sandbox = await start(t);
    const server = createServer();
    const { port } = new URL(await listen(t, server));
    const argv = [sandbox.url, ...SCOPES, '--port', port, '--wait', '0'];
    const { runtime, ended } = init(t, createFolderWithKey(t), ...argv);
    assert.equal(await ended, 0);
    assert.match(
      runtime.err(),
      new RegExp(`warning: port ${port} on "127\\.0\\.0\\.1" is in use: [^]*start the proxy`),
    );
  });

  it('names the error log that cannot be read', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolderWithKey(t);
    const argv = [sandbox.url, ...SCOPES, '--error-log', 'gone/error.log', '--wait', '1'];
    const { runtime, ended } = init(t, cwd, ...argv);
    await ended;
    assert.match(
      runtime.err(),
      /warning: the error log cannot be read; .* \(no readable file matches ".*\/gone\/error\.log"\)\n/,
    );
  });

  it('says that the route is read-only and how to write, when it only reads', async (t) => {
    const sandbox = await start(t);
    const argv = [sandbox.url, ...SCOPES, '--wait', '0'];
    const { runtime, ended } = init(t, createFolderWithKey(t), ...argv);
    assert.equal(await ended, 0, runtime.err());
    assert.match(
      runtime.err(),
      /the route is read-only .*"readOnly": true.*to write, run init again with --force and --scopes/,
    );
  });

  it('lets the proxy write only when that was asked for', async (t) => {
    const sandbox = await start(t, { version: '8.0.0' });
    const cwd = createFolderWithKey(t);
    const argv = [sandbox.url, '--scopes', 'system/Patient.write', '--wait', '0'];
    const { runtime, ended } = init(t, cwd, ...argv);
    assert.equal(await ended, 0, runtime.err());
    assert.equal(readConfig(cwd).routes[0]?.access, undefined);
    assert.doesNotMatch(runtime.err(), /read-only/);
  });

  it('adds to the .gitignore that is there, once, and makes none outside of git', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolderWithKey(t);
    const run = async (...more: string[]) => {
      const { runtime, ended } = init(t, cwd, sandbox.url, ...SCOPES, '--wait', '0', ...more);
      assert.equal(await ended, 0, runtime.err());
    };
    await run();
    assert.throws(() => statSync(join(cwd, '.gitignore')), { code: 'ENOENT' });
    mkdirSync(join(cwd, '.git'));
    writeFileSync(join(cwd, '.gitignore'), 'dist');
    await run('--force');
    await run('--force');
    assert.equal(readFileSync(join(cwd, '.gitignore'), 'utf8'), 'dist\nkeys/\n');
  });
});

describe('register', () => {
  it('prints the id of the new client and nothing else on standard output', async (t) => {
    const sandbox = await start(t);
    const cwd = createFolderWithKey(t);
    const runtime: TestRuntime = createTestRuntime({ cwd });
    const argv = ['register', sandbox.url, '--scopes', 'system/*.read'];
    assert.equal(await runProgram(argv, runtime, { version: '0' }), 0, runtime.err());
    const client = sandbox.state.clients.get(runtime.out().trim());
    assert.equal(client?.enabled, false);
    assert.ok((client?.scope.split(' ').length ?? 0) > 20);
    assert.match(runtime.err(), /"system\/\*\.read" stands for \d+ scopes/);
    assert.throws(() => statSync(join(cwd, 'proxy.config.json')), { code: 'ENOENT' });
    assert.throws(() => statSync(join(cwd, 'keys/registration.json')), { code: 'ENOENT' });
  });

  it('takes a registration back at a server that lets it', async (t) => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.method, request.headers.authorization);
      response.writeHead(204).end();
    });
    const url = await listen(t, server);
    const cwd = createFolderWithKey(t);
    const filed = {
      clientId: 'a',
      registrationClientUri: url,
      registrationAccessToken: 'secret-1',
    };
    const file = join(cwd, 'registration.json');
    writeFileSync(file, JSON.stringify(filed), { mode: 0o600 });
    const remove = async () => {
      const runtime = createTestRuntime({ cwd });
      const argv = ['register', '--remove', 'registration.json'];
      return {
        code: await runProgram(argv, runtime, { version: '0' }),
        text: runtime.out() + runtime.err(),
      };
    };
    assert.deepEqual(await remove(), { code: 0, text: 'removed the client a\n' });
    assert.deepEqual(seen, ['DELETE', 'Bearer secret-1']);
    const again = await remove();
    assert.equal(again.code, 1);
    assert.match(again.text, /ENOENT.*OpenEMR gives none/);
    writeFileSync(file, '{"registrationAccessToken": secret-2');
    assert.doesNotMatch((await remove()).text, /secret-2/);
  });
});

async function listen(t: TestContext, server: ReturnType<typeof createServer>): Promise<string> {
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A gateway in front of the sandbox that has no registration endpoint. */
async function startWithoutRegistration(t: TestContext, sandbox: Sandbox): Promise<string> {
  const bodyOf = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  const pass = async (request: IncomingMessage) => {
    const { method = 'GET', url: target = '/', headers } = request;
    const body = await bodyOf(request);
    const kept = ['content-type', 'authorization', 'accept'].flatMap((name) =>
      typeof headers[name] === 'string' ? [[name, headers[name]] as [string, string]] : [],
    );
    return fetch(`${sandbox.url}${target}`, {
      method,
      headers: Object.fromEntries(kept),
      ...(method === 'POST' ? { body } : {}),
    });
  };
  const answerWith = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = await pass(request);
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? 'application/json';
    response.writeHead(answer.status, { 'content-type': type }).end(body);
  };
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/registration') === true) {
      response.writeHead(404).end();
      return;
    }
    void answerWith(request, response);
  });
  return listen(t, server);
}
