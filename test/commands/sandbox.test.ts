import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';

import { importJWK, type JWK, SignJWT } from 'jose';

import { es384Key } from '../support/keys.ts';

const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;

interface Places {
  url: string;
  fhirBase: string;
  tokenEndpoint: string;
  adminPage: string;
  faults: string;
  openemr: string;
  client: { id: string; keyFile: string; scopes: string[] };
  errorLog: string;
  certificate?: string;
}

interface Running {
  places: Places;
  child: ChildProcess;
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

function run(t: TestContext, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'sandbox', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** Starts the command with `--json` and reads its one line. */
async function start(t: TestContext, ...args: string[]): Promise<Running> {
  const child = run(t, ['--port', '0', '--json', ...args]);
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    places: JSON.parse(line) as Places,
    child,
    async stop(signal) {
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

/** Runs the command to its end. */
async function fail(t: TestContext, ...args: string[]): Promise<{ code: number; stderr: string }> {
  const child = run(t, args);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What any script would do with the line of JSON and nothing but jose. */
async function getToken({ client, tokenEndpoint }: Places): Promise<Response> {
  const key = JSON.parse(readFileSync(client.keyFile, 'utf8')) as JWK;
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'RS384', typ: 'JWT' })
    .setIssuer(client.id)
    .setSubject(client.id)
    .setAudience(tokenEndpoint)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('60 s')
    .sign(await importJWK(key, 'RS384'));
  return fetch(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: client.scopes.join(' '),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
}

test('--json prints what a script needs to get a token and a patient; a signal ends it and leaves nothing behind', async (t) => {
  const { places, stop } = await start(t);
  assert.equal(places.openemr, '7.0.3');
  assert.equal(places.fhirBase, `${places.url}/apis/default/fhir`);
  assert.equal(statSync(places.client.keyFile).mode & 0o777, 0o600);
  const answer = await getToken(places);
  assert.equal(answer.status, 200);
  const token = (await answer.json()) as { access_token: string; scope: string };
  assert.equal(token.scope, places.client.scopes.join(' '));
  const patients = await fetch(`${places.fhirBase}/Patient?_count=1`, {
    headers: { Authorization: `Bearer ${token.access_token}` },
  });
  assert.equal(((await patients.json()) as { total: number }).total, 1);
  assert.equal((await fetch(places.adminPage)).status, 200);
  await fetch(`${places.fhirBase}/Patient`);
  assert.match(readFileSync(places.errorLog, 'utf8'), /failed token verify for resource/);
  assert.equal(await stop('SIGTERM'), 143);
  assert.throws(() => statSync(dirname(places.client.keyFile)), { code: 'ENOENT' });
});

test('--tls: the certificate that it names is the one to trust', async (t) => {
  const { places, stop } = await start(t, '--tls');
  assert.match(places.url, /^https:\/\/localhost:\d+$/);
  const ca = readFileSync(places.certificate ?? '');
  const status = await new Promise((resolve, reject) => {
    const outgoing = request(`${places.fhirBase}/metadata`, { ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
  assert.equal(status, 200);
  assert.equal(await stop('SIGINT'), 130);
});

test('--client-id and --key: the same client at the next start', async (t) => {
  const folder = makeFolder(t);
  const key = join(folder, 'keys', 'demo.jwk.json');
  const errorLog = join(folder, 'error.log');
  const first = await start(t, '--client-id', 'demo', '--key', key, '--error-log', errorLog);
  assert.equal((await getToken(first.places)).status, 200);
  await first.stop('SIGTERM');
  assert.equal(statSync(key).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(key)).mode & 0o777, 0o700);
  const made = readFileSync(key, 'utf8');
  const second = await start(t, '--client-id', 'demo', '--key', key, '--fault', 'client-disabled');
  assert.equal(second.places.client.id, 'demo');
  assert.equal(readFileSync(key, 'utf8'), made);
  assert.equal((await getToken(second.places)).status, 401);
  await fetch(second.places.faults, { method: 'DELETE' });
  assert.equal((await getToken(second.places)).status, 200);
  await second.stop('SIGTERM');
});

test('what cannot be used is refused with a sentence', async (t) => {
  const folder = makeFolder(t);
  const ecKey = join(folder, 'ec.jwk.json');
  writeFileSync(ecKey, es384Key().text, { mode: 0o600 });
  const { places } = await start(t);
  const cases: [string[], number, RegExp][] = [
    [['--fault', 'nope'], 2, /^error: --fault nope: unknown fault "nope": expected one of /],
    [['--openemr', '5.0'], 2, /^error: --openemr is "5\.0": expected "7\.0\.3"/],
    [['--port', '70000'], 2, /^error: --port is "70000": expected a number from 0 to 65535/],
    [['--port', new URL(places.url).port], 1, /^error: port \d+ on "127\.0\.0\.1" is in use/],
    [['--key', ecKey], 1, /^error: the key file ".*" holds an EC key: expected an RSA key/],
    [['--key', join(ecKey, 'key')], 1, /^error: the key file ".*" does not exist/],
  ];
  const results = await Promise.all(cases.map(([args]) => fail(t, '--port', '0', ...args)));
  for (const [i, { code, stderr }] of results.entries()) {
    const [, expectedCode, message] = cases[i] ?? [];
    assert.match(stderr, message ?? /never/);
    assert.equal(code, expectedCode);
  }
});
