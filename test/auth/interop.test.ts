/**
 * The token code against an authorization server that is not ours: `oidc-provider` with
 * private_key_jwt (RFC 7523 section 2.2) and client_credentials (RFC 6749 section 4.4).
 */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { type ClientMetadata, Provider } from 'oidc-provider';
import { Agent } from 'undici';

import { buildClientAssertion } from '../../src/auth/client-assertion.ts';
import { createDiscovery } from '../../src/auth/discovery.ts';
import { requestAnswer } from '../../src/auth/http-answer.ts';
import { buildJwks } from '../../src/auth/jwks.ts';
import { loadSigningKey, type SigningKey } from '../../src/auth/signing-key.ts';
import { buildTokenRequest } from '../../src/auth/token-request.ts';
import { createTokenSource } from '../../src/auth/token-source.ts';
import type { TokenSource } from '../../src/base/contracts.ts';
import { es384Key, rs384Key, type TestKey } from '../support/keys.ts';
import { createTestLog } from '../support/log.ts';

const SCOPES = ['system/Patient.read', 'system/Observation.read'];
const clock = { now: () => Date.now() };

interface Interop {
  provider: Provider;
  source: TokenSource;
  key: SigningKey;
  tokenEndpoint: string;
  dispatcher: Agent;
}

/** An oidc-provider that knows one client, and a token source that is this client. */
async function setup(
  t: TestContext,
  made: TestKey,
  client: ClientMetadata | object = {},
): Promise<Interop> {
  const key = await loadSigningKey(made.text);
  let listener: RequestListener = (_request, response) => void response.end();
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: 'interop',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: key.alg,
        jwks: buildJwks([key]),
        scope: SCOPES.join(' '),
        ...client,
      },
    ],
    scopes: SCOPES,
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    ttl: { ClientCredentials: 300 },
    cookies: { keys: ['for tests only'] },
  });
  const tokenEndpoint = `${origin}/token`;
  const callback = provider.callback();
  listener = (request, response) => {
    if (request.url === '/fhir/.well-known/smart-configuration') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token_endpoint: tokenEndpoint }));
    } else {
      callback(request, response).catch(() => response.destroy());
    }
  };

  const dispatcher = new Agent();
  const shared = { dispatcher, timeoutMs: 5000, clock, logger: createTestLog().logger };
  const discovery = createDiscovery({ fhirBase: new URL(`${origin}/fhir`), ...shared });
  const source = createTokenSource({
    client: { id: 'interop', scopes: SCOPES },
    key,
    discovery,
    ...shared,
  });
  t.after(async () => {
    await source.close();
    await dispatcher.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { provider, source, key, tokenEndpoint, dispatcher };
}

for (const made of [rs384Key(), es384Key()]) {
  test(`private_key_jwt with ${made.alg}: oidc-provider grants a token, and another one`, async (t) => {
    const { provider, source } = await setup(t, made);
    const first = await source.get();
    const stored = await provider.ClientCredentials.find(first.value);
    assert.equal(stored?.clientId, 'interop');
    assert.equal(stored.scope, SCOPES.join(' '));
    assert.deepEqual(first.grantedScopes, SCOPES);
    assert.equal(first.expiresAtMs - first.obtainedAtMs, 300_000);

    const second = await source.replace(first);
    assert.equal(second.generation, 2);
    assert.notEqual(second.value, first.value);
    assert.ok(await provider.ClientCredentials.find(second.value));
  });
}

test('oidc-provider refuses an assertion that it has seen before', async (t) => {
  const { key, tokenEndpoint, dispatcher } = await setup(t, rs384Key());
  const assertion = await buildClientAssertion({
    key,
    clientId: 'interop',
    audience: tokenEndpoint,
    clock,
  });
  const ask = () =>
    requestAnswer({
      url: tokenEndpoint,
      method: 'POST',
      ...buildTokenRequest({ scopes: SCOPES, assertion }),
      dispatcher,
      timeoutMs: 5000,
      clock,
    });
  assert.equal((await ask()).status, 200);
  const again = await ask();
  assert.equal(again.status, 401);
  assert.match(again.body, /"error":"invalid_client"/);
});

test('oidc-provider refuses a key that is not registered', async (t) => {
  const other = await loadSigningKey(rs384Key('other').text);
  const { source } = await setup(t, rs384Key(), { jwks: buildJwks([other]) });
  await assert.rejects(source.get(), {
    name: 'TokenError',
    code: 'token-refused',
    kind: 'configuration',
    message: /refused a token with "invalid_client" \(client authentication failed\), status 401$/,
  });
});

test('oidc-provider refuses a scope that is not registered', async (t) => {
  const { source } = await setup(t, rs384Key(), { scope: 'system/Patient.read' });
  await assert.rejects(source.get(), {
    code: 'token-refused',
    kind: 'configuration',
    message: /"invalid_scope" \(requested scope is not allowed\), status 400$/,
  });
});
