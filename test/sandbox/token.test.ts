import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';

import { createLocalJWKSet, importJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';

import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/index.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

async function start(t: TestContext, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  t.after(() => sandbox.close());
  return sandbox;
}

async function signAssertion(
  sandbox: Sandbox,
  claims: Record<string, unknown> = {},
): Promise<string> {
  const { id, key } = sandbox.client;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: id,
    sub: id,
    aud: sandbox.tokenEndpoint,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS384', typ: 'JWT' })
    .sign(await importJWK(key, 'RS384'));
}

async function grant(
  sandbox: Sandbox,
  assertion: string,
  over: Record<string, string> = {},
  Form: typeof FormData | typeof URLSearchParams = URLSearchParams,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const body = new Form();
  const parameters = {
    grant_type: 'client_credentials',
    scope: 'system/Patient.read',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
    ...over,
  };
  for (const [name, value] of Object.entries(parameters)) body.append(name, value);
  const response = await fetch(sandbox.tokenEndpoint, { method: 'POST', body });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const logOf = (sandbox: Sandbox): string => readFileSync(sandbox.errorLog, 'utf8');

const clientOf = (sandbox: Sandbox) => {
  const client = sandbox.state.clients.get(sandbox.client.id);
  assert.ok(client);
  return client;
};

test('the access token verifies against the server’s own JWK Set', async (t) => {
  const sandbox = await start(t);
  const { json } = await grant(sandbox, await signAssertion(sandbox));
  const answer = await fetch(`${sandbox.url}/oauth2/default/jwk`);
  const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
  const { payload } = await jwtVerify(String(json['access_token']), keys, {
    audience: sandbox.client.id,
    algorithms: ['RS256'],
    // OpenEMR's nbf has a fraction, and jose counts whole seconds.
    clockTolerance: 1,
  });
  assert.deepEqual(payload['scopes'], ['system/Patient.read', 'site:default']);
  assert.equal(Number(payload.exp) - Number(payload.iat), 300);
});

test('a token lives as long as the setting says', async (t) => {
  const sandbox = await start(t, { settings: { tokenLifetimeSeconds: 5 } });
  const { json } = await grant(sandbox, await signAssertion(sandbox));
  assert.ok(json['expires_in'] === 5 || json['expires_in'] === 4);
});

test('multipart/form-data is a form too', async (t) => {
  const sandbox = await start(t);
  const { status } = await grant(sandbox, await signAssertion(sandbox), {}, FormData);
  assert.equal(status, 200);
});

test('a public client and an unregistered redirect_uri are refused, and nothing is logged', async (t) => {
  const sandbox = await start(t);
  const withUri = { redirect_uri: 'https://elsewhere.example/' };
  assert.equal((await grant(sandbox, await signAssertion(sandbox), withUri)).status, 401);
  const registered = { redirect_uri: 'https://localhost/' };
  assert.equal((await grant(sandbox, await signAssertion(sandbox), registered)).status, 200);
  clientOf(sandbox).confidential = false;
  assert.equal((await grant(sandbox, await signAssertion(sandbox))).status, 401);
  assert.equal(logOf(sandbox), '');
});

test('every violated constraint is named in the log, in OpenEMR’s order', async (t) => {
  const sandbox = await start(t);
  const past = Math.floor(Date.now() / 1000) - 600;
  const claims = { exp: past, iat: past, iss: 'x', aud: 'y', jti: '' };
  assert.equal((await grant(sandbox, await signAssertion(sandbox, claims))).status, 400);
  const messages = [
    'The token is expired',
    'The token was not issued by the given issuers',
    'The token is not allowed to be used by this audience',
    'jti claim is required for JWT',
  ];
  const expected = messages.map((message) => String.raw`\\n- ${message}`).join('');
  assert.ok(logOf(sandbox).includes(`details:${expected}"`), logOf(sandbox));
});

test('a jti is spent once the client is known, even when the scope is then refused', async (t) => {
  const sandbox = await start(t);
  const assertion = await signAssertion(sandbox);
  assert.equal((await grant(sandbox, assertion, { scope: 'system/Nothing.read' })).status, 400);
  const again = await grant(sandbox, assertion);
  assert.deepEqual([again.status, again.json['error']], [400, 'invalid_client']);
  assert.match(logOf(sandbox), /OpenEMR\.EMERGENCY: .*duplicate usage of JWT token/);
});

test('the leeway is 60 seconds, for exp backwards and for iat and nbf forwards', async (t) => {
  const sandbox = await start(t);
  const now = Math.floor(Date.now() / 1000);
  const cases: [Record<string, number>, number][] = [
    [{ exp: now - 50 }, 200],
    [{ exp: now - 61 }, 400],
    [{ iat: now + 50 }, 200],
    [{ iat: now + 90 }, 400],
    [{ nbf: now + 50 }, 200],
    [{ nbf: now + 90 }, 400],
  ];
  for (const [claims, status] of cases) {
    const answer = await grant(sandbox, await signAssertion(sandbox, claims));
    assert.equal(answer.status, status, JSON.stringify(claims));
  }
});

test('no log line holds a token or an assertion', async (t) => {
  const sandbox = await start(t, { settings: { debugLog: true } });
  const assertion = await signAssertion(sandbox);
  const { json } = await grant(sandbox, assertion);
  await grant(sandbox, assertion);
  const headers = { Authorization: `Bearer ${String(json['access_token'])}` };
  await fetch(`${sandbox.fhirBase}/Patient?_format=json`, { headers });
  const log = logOf(sandbox);
  assert.ok(log.length > 1000);
  for (const secret of [assertion, String(json['access_token'])]) {
    for (const part of secret.split('.')) assert.ok(!log.includes(part));
  }
});
