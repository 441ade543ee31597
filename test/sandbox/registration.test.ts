import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';

import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { rs384Key } from '../support/keys.ts';
import { askToken } from '../support/sandbox-fhir.ts';

const METADATA = {
  application_type: 'private',
  redirect_uris: ['https://client.example/cb'],
  client_name: 'registered by a test',
  contacts: ['a@example.org'],
  scope: 'system/Patient.read',
  jwks: { keys: [rs384Key().publicJwk] },
};

async function start(t: TestContext): Promise<Sandbox> {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  return sandbox;
}

async function register(sandbox: Sandbox, over: Record<string, unknown> = {}): Promise<string> {
  const response = await fetch(`${sandbox.url}/oauth2/default/registration`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...METADATA, ...over }),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('Content-Type'), 'text/html; charset=utf-8');
  return ((await response.json()) as { client_id: string }).client_id;
}

/** The sandbox as seen by the newly registered client. */
const as = (sandbox: Sandbox, id: string): Sandbox => ({
  ...sandbox,
  client: { id, key: rs384Key().privateJwk, scopes: ['system/Patient.read'] },
});

const page = (sandbox: Sandbox): string => `${sandbox.url}/interface/smart/admin-client.php`;

test('a new system client gets no token before an administrator has enabled it on the page', async (t) => {
  const sandbox = await start(t);
  const id = await register(sandbox);
  assert.equal((await askToken(as(sandbox, id), ['system/Patient.read'])).status, 401);
  assert.match(readFileSync(sandbox.errorLog, 'utf8'), /client returned was not enabled/);

  const listed = await (await fetch(page(sandbox))).text();
  assert.match(listed, /<th scope="row">registered by a test<\/th>\n<td><code>[\w-]{43}<\/code>/);
  assert.match(listed, /aria-label="Enable client registered by a test"/);
  const enabled = await fetch(page(sandbox), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ client_id: id, action: 'enable' }),
  });
  assert.deepEqual(
    [enabled.status, enabled.headers.get('Location')],
    [303, '/interface/smart/admin-client.php'],
  );
  assert.equal((await askToken(as(sandbox, id), ['system/Patient.read'])).status, 200);
});

test('a script enables and disables a client with JSON', async (t) => {
  const sandbox = await start(t);
  const id = await register(sandbox);
  const change = async (body: object) => {
    const response = await fetch(page(sandbox), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  assert.deepEqual(await change({ client_id: id }), {
    status: 200,
    json: { client_id: id, is_enabled: true },
  });
  assert.equal((await askToken(as(sandbox, id), [])).status, 200);
  assert.equal((await change({ client_id: id, action: 'disable' })).json['is_enabled'], false);
  assert.equal((await askToken(as(sandbox, id), [])).status, 401);
  const unknown = await change({ client_id: 'nobody' });
  assert.equal(unknown.status, 400);
  assert.match(String(unknown.json['error']), /^no client has the client_id "nobody"/);
  assert.match(String((await change({ client_id: id, action: 'x' })).json['error']), /"x"/);
});

test('what a client says about itself cannot break the page', async (t) => {
  const sandbox = await start(t);
  await register(sandbox, { client_name: '<script>alert("1")</script>' });
  const listed = await (await fetch(page(sandbox))).text();
  assert.doesNotMatch(listed, /<script/);
  assert.match(listed, /&lt;script&gt;alert\(&quot;1&quot;\)/);
});

test('a client without system and user scopes starts enabled', async (t) => {
  const sandbox = await start(t);
  const id = await register(sandbox, { scope: 'openid', application_type: 'web' });
  assert.equal(sandbox.state.clients.get(id)?.enabled, true);
});

test('a JWK Set that was registered as a string fails at the token request only', async (t) => {
  const sandbox = await start(t);
  const id = await register(sandbox, { jwks: JSON.stringify(METADATA.jwks) });
  const client = sandbox.state.clients.get(id);
  assert.ok(client);
  client.enabled = true;
  assert.equal((await askToken(as(sandbox, id), ['system/Patient.read'])).status, 401);
  assert.match(readFileSync(sandbox.errorLog, 'utf8'), /Malformed jwks missing keys property/);
});
