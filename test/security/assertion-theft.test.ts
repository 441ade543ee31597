/**
 * A discovery document that names the token endpoint of someone else: assertions for the real one would
 * be handed over, and the proxy would call services of this machine for a server (mix-up and request
 * forgery, RFC 9700 section 4.4; OWASP A10).
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';

import { issuesOf, startProxy } from '../support/proxy.ts';

const SECRET_OF_A_SERVICE = 'the database password is hunter2';

/** A service of this machine that has nothing to do with FHIR. */
async function startService(t: TestContext) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: 'no', message: SECRET_OF_A_SERVICE }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe('a token endpoint at another address than the upstream', () => {
  for (const path of ['/admin/shutdown?now=1', '/oauth2/default/token', '/x?y=/oauth2/a/token']) {
    it(`is not called because a document names it: ${path}`, async (t) => {
      const service = await startService(t);
      const { fetch, authorization } = await startProxy(t);
      authorization.configurationOverrides = {
        token_endpoint: service.origin + path,
        scopes_supported: [],
      };
      const response = await fetch('/fhir/Patient');
      const body = await response.text();
      assert.equal(response.status, 503);
      assert.match(issuesOf(body)[0]?.diagnostics ?? '', /add "tokenEndpoint": "/);
      assert.match(response.headers.get('link') ?? '', /token-endpoint-elsewhere/);
      assert.deepEqual(service.seen, []);
      assert.ok(!body.includes('hunter2'));
      assert.deepEqual(authorization.requests, []);
    });
  }

  it('is not called either when an audience is configured', async (t) => {
    const service = await startService(t);
    const { fetch, authorization } = await startProxy(t, {
      route: { audience: 'https://authorization.example/token' },
    });
    authorization.configurationOverrides = { token_endpoint: `${service.origin}/steal` };
    assert.equal((await fetch('/fhir/Patient')).status, 503);
    assert.deepEqual(service.seen, []);
  });

  it('is called once the configuration names it', async (t) => {
    const { fetch, authorization } = await startProxy(t, {
      route: ({ tokenEndpoint }) => ({ tokenEndpoint }),
    });
    authorization.configurationOverrides = { token_endpoint: 'https://elsewhere.example/token' };
    await fetch('/fhir/Patient');
    assert.equal(authorization.requests.length, 1);
    assert.equal(authorization.requests[0]?.claims?.['aud'], 'https://elsewhere.example/token');
  });

  it('may be the same service under another loopback name', async (t) => {
    const { fetch, authorization } = await startProxy(t);
    const announced = authorization.tokenEndpoint.replace('127.0.0.1', 'localhost');
    authorization.configurationOverrides = { token_endpoint: announced };
    await fetch('/fhir/Patient');
    assert.equal(authorization.requests[0]?.claims?.['aud'], announced);
  });
});

describe('a SMART configuration beyond all bounds', () => {
  for (const [what, overrides] of [
    [
      'a token endpoint of 900,000 slashes',
      (o: string) => ({ token_endpoint: `${o}/${'/'.repeat(900_000)}` }),
    ],
    ['a token endpoint that is no URL', () => ({ token_endpoint: 'token' })],
    ['a token endpoint with a password', () => ({ token_endpoint: 'http://a:b@127.0.0.1/token' })],
    ['a token endpoint that is a list', () => ({ token_endpoint: ['http://127.0.0.1/token'] })],
    ['a token endpoint of another scheme', () => ({ token_endpoint: 'file:///etc/passwd' })],
  ] as const) {
    it(`${what} is refused in a short message`, async (t) => {
      const { fetch, authorization } = await startProxy(t);
      authorization.configurationOverrides = overrides(authorization.origin);
      const response = await fetch('/fhir/Patient');
      const [issue] = issuesOf(await response.text());
      assert.equal(response.status, 503);
      assert.match(issue?.diagnostics ?? '', /"token_endpoint"/);
      assert.ok((issue?.diagnostics.length ?? 0) < 2_000);
      assert.deepEqual(authorization.requests, []);
    });
  }

  it('scopes without end, or with control characters, neither hang the proxy nor reach a message', async (t) => {
    const { fetch, authorization } = await startProxy(t);
    authorization.configurationOverrides = {
      scopes_supported: [...Array(90_000).fill('a'), 'system/\u001b[2J', 'x'.repeat(5000)],
    };
    assert.equal((await fetch('/fhir/Patient')).status, 200);
  });
});
