import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import supertest from 'supertest';

import { answerPatient, issuesOf, requireToken, startProxy } from '../support/proxy.ts';

/** Of clocks that stand still. */
const STARTED_MS = Date.now();
const OPENEMR_8_UNAUTHORIZED = '{"error":"An error occurred","message":"Unauthorized","code":0}';

test('a call without a token gets data: the first fetches a token, later ones reuse it', async (t) => {
  const { proxy, authorization, received, exchanges, over } = await startProxy(t);
  const agent = supertest(proxy.server);
  for (let i = 0; i < 3; i += 1) {
    const response = await agent.get('/fhir/Patient/p1').expect(200);
    assert.equal((response.body as { id: string }).id, 'p1');
  }
  await over(3);
  assert.equal(authorization.requests.length, 1);
  assert.equal(received.length, 3);
  assert.equal(received[0]!.headers.authorization, `Bearer ${authorization.issued[0]}`);
  assert.deepEqual(
    exchanges.map((exchange) => exchange.tokenOrigin),
    ['fresh', 'cached', 'cached'],
  );
});

test('500 concurrent cold calls make one token request', async (t) => {
  const { fetch, authorization, received } = await startProxy(t);
  const statuses = await Promise.all(
    Array.from({ length: 500 }, async () => (await fetch('/fhir/Patient')).status),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(received.length, 500);
  assert.equal(authorization.requests.length, 1);
});

test('a token is renewed in the background across its life: no call waits, none sees a 401', async (t) => {
  const { fetch, authorization, exchanges } = await startProxy(t, {
    authorization: { expiresInSeconds: 3 },
  });
  await fetch('/fhir/Patient');
  const endsAt = Date.now() + 6_500;
  while (Date.now() < endsAt) {
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.ok(authorization.requests.length >= 3, `${authorization.requests.length} token requests`);
  const [, ...later] = exchanges;
  assert.deepEqual(new Set(later.map((exchange) => exchange.tokenOrigin)), new Set(['cached']));
  assert.ok(later.every((exchange) => !exchange.replayed && exchange.status === 200));
});

describe('a 401', () => {
  /** Old enough to be replaced: the proxy's clock is moved, the server's is not. */
  const agingClock = () => {
    let offsetMs = 0;
    return { now: () => Date.now() + offsetMs, age: () => (offsetMs = 5_000) };
  };

  test('of a revoked token is cured by one replay that the client does not see', async (t) => {
    const clock = agingClock();
    const { fetch, authorization, received, exchanges, over } = await startProxy(t, { clock });
    await fetch('/fhir/Patient');
    authorization.revoke();
    clock.age();
    const response = await fetch('/fhir/Patient/p1');
    assert.equal(response.status, 200);
    assert.match(response.headers.get('server-timing')!, /, replay$/);
    assert.equal(authorization.requests.length, 2);
    assert.equal(received.length, 3);
    await over(2);
    assert.equal(exchanges[1]!.replayed, true);
  });

  test('of an expired token is cured by one replay', async (t) => {
    const clock = agingClock();
    const { proxy, fetch, authorization } = await startProxy(t, { clock });
    // The answer claims 300 s, the server lets the token die at once: clocks that disagree.
    authorization.expiresInSeconds = 0;
    authorization.answerOverrides = { expires_in: 300 };
    await proxy.renewTokens();
    authorization.expiresInSeconds = 300;
    clock.age();
    assert.equal((await fetch('/fhir/Patient')).status, 200);
  });

  for (const [name, init] of [
    ['with a length', { body: 'x'.repeat(70_000) }],
    ['chunked', { body: new Blob(['y'.repeat(70_000)]).stream(), duplex: 'half' }],
  ] as const) {
    test(`on a POST ${name} is cured, the body sent twice`, async (t) => {
      const clock = agingClock();
      const { fetch, authorization, received } = await startProxy(t, {
        clock,
        scopes: ['system/Patient.write', 'system/Patient.read'],
      });
      await fetch('/fhir/Patient');
      authorization.revoke();
      clock.age();
      const response = await fetch('/fhir/Patient', { method: 'POST', ...init });
      assert.equal(response.status, 200);
      const [first, second] = received.slice(-2);
      assert.equal(first!.body.length, 70_000);
      assert.equal(second!.body, first!.body);
    });
  }

  test('on a body over 1 MiB is passed on, and the token renewed for the next call', async (t) => {
    const clock = agingClock();
    const { fetch, authorization, log } = await startProxy(t, {
      clock,
      scopes: ['system/Patient.write', 'system/Patient.read'],
    });
    await fetch('/fhir/Patient');
    authorization.revoke();
    clock.age();
    const body = 'z'.repeat(1_048_577);
    assert.equal((await fetch('/fhir/Patient', { method: 'POST', body })).status, 401);
    await authorization.received(2);
    assert.match(log(), /replay-too-large/);
    assert.equal((await fetch('/fhir/Patient', { method: 'POST', body })).status, 200);
    assert.equal(authorization.requests.length, 2);
  });

  test('for want of a scope makes no token request (empty, as OpenEMR 7 answers)', async (t) => {
    const clock = agingClock();
    const { fetch, authorization } = await startProxy(t, {
      clock,
      fhir: () => (_, response) => void response.writeHead(401).end(),
    });
    await fetch('/fhir/Observation');
    clock.age();
    const response = await fetch('/fhir/Observation');
    assert.equal(response.status, 401);
    assert.match(issuesOf(await response.text())[0]!.diagnostics, /empty body/);
    assert.equal(authorization.requests.length, 1);
  });

  test('for want of a scope makes no token request (a message, as OpenEMR 8 answers)', async (t) => {
    const clock = agingClock();
    const { fetch, authorization } = await startProxy(t, {
      clock,
      fhir: () => (_, response) =>
        void response
          .writeHead(401, { 'content-type': 'application/json' })
          .end(OPENEMR_8_UNAUTHORIZED),
    });
    await fetch('/fhir/Patient');
    clock.age();
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 401);
    assert.equal(await response.text(), OPENEMR_8_UNAUTHORIZED);
    assert.equal(authorization.requests.length, 1);
  });

  test('that a fresh token does not cure makes one token request in 30 s, not a storm', async (t) => {
    const clock = agingClock();
    const { fetch, authorization, received } = await startProxy(t, {
      clock,
      fhir: () => (_, response) => void response.writeHead(401).end('no'),
    });
    await fetch('/fhir/Patient');
    clock.age();
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch('/fhir/Patient')).status),
    );
    for (let i = 0; i < 20; i += 1) statuses.push((await fetch('/fhir/Patient')).status);
    assert.deepEqual(new Set(statuses), new Set([401]));
    assert.equal(authorization.requests.length, 2);
    assert.ok(received.length <= 1 + 50 * 2 + 20, `${received.length} requests`);
  });

  test('of a token revoked right after it was got is cured, by one token request for all calls', async (t) => {
    const { fetch, authorization } = await startProxy(t, { clock: { now: () => STARTED_MS } });
    await fetch('/fhir/Patient');
    authorization.revoke();
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch('/fhir/Patient')).status),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(authorization.requests.length, 2);
  });

  test('of the very first token is cured when that was dead on arrival', async (t) => {
    const { fetch, authorization } = await startProxy(t);
    authorization.expiresInSeconds = 0;
    authorization.answerOverrides = { expires_in: 300 };
    const answer = fetch('/fhir/Patient');
    await authorization.received(1);
    authorization.expiresInSeconds = 300;
    assert.equal((await answer).status, 200);
  });

  test('of a token that replaced a refused one less than 2 s ago is passed on', async (t) => {
    let offsetMs = 0;
    const { fetch, authorization } = await startProxy(t, {
      clock: { now: () => STARTED_MS + offsetMs },
    });
    for (const status of [200, 401, 401]) {
      await fetch('/fhir/Patient');
      authorization.revoke();
      assert.equal((await fetch('/fhir/Patient')).status, status);
    }
    assert.equal(authorization.requests.length, 2);
    offsetMs = 2_000;
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.equal(authorization.requests.length, 3);
  });

  test('of every call makes at most one token request in 2 s, whatever is asked for', async (t) => {
    let offsetMs = 0;
    const types = ['Patient', 'Observation', 'Condition', 'Encounter', 'Device', 'Group'];
    const { fetch, authorization } = await startProxy(t, {
      clock: { now: () => STARTED_MS + offsetMs },
      scopes: types.map((type) => `system/${type}.read`),
      fhir: () => (_, response) => void response.writeHead(401).end('no'),
    });
    for (const tokens of [2, 3, 4, 5, 6]) {
      for (const type of [...types, ...types]) {
        assert.equal((await fetch(`/fhir/${type}`)).status, 401);
      }
      assert.equal(authorization.requests.length, tokens);
      offsetMs += 2_000;
    }
  });

  test('met by many calls at once makes one token request', async (t) => {
    const clock = agingClock();
    const { fetch, authorization } = await startProxy(t, { clock });
    await fetch('/fhir/Patient');
    authorization.revoke();
    clock.age();
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch('/fhir/Patient')).status),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(authorization.requests.length, 2);
  });
});

describe('without a token', () => {
  test('callers get 503 with an OperationOutcome, Retry-After and Proxy-Status', async (t) => {
    const { fetch, authorization } = await startProxy(t);
    const down = { status: 503, body: 'down' };
    authorization.scriptToken(down, down, down, down);
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get('retry-after')) >= 1);
    assert.match(response.headers.get('proxy-status')!, /^fhir-auth-proxy; error=/);
    assert.equal(response.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
    assert.equal(issuesOf(await response.text())[0]!.severity, 'error');
  });

  test('a refusal of the client is not asked for again at every call', async (t) => {
    const { fetch, authorization } = await startProxy(t);
    const refusal = {
      status: 401,
      body: { error: 'invalid_client', error_description: 'Client authentication failed' },
    };
    authorization.scriptToken(refusal, refusal, refusal, refusal, refusal);
    for (let i = 0; i < 20; i += 1) assert.equal((await fetch('/fhir/Patient')).status, 503);
    assert.equal(authorization.requests.length, 1);
  });

  test('open paths are forwarded all the same, and without a token', async (t) => {
    const { fetch, authorization, received } = await startProxy(t, {
      fhir: () => answerPatient,
    });
    authorization.scriptToken('reset', 'reset', 'reset');
    assert.equal((await fetch('/fhir/metadata')).status, 200);
    assert.equal((await fetch('/fhir/.well-known/smart-configuration')).status, 200);
    assert.equal(received[0]!.headers.authorization, undefined);
    assert.equal(authorization.requests.length, 0);
  });
});

test('two routes with the same client and other scopes never share a token', async (t) => {
  const first = await startProxy(t, { scopes: ['system/Patient.read'] });
  const second = await startProxy(t, { scopes: ['system/Observation.read'] });
  await first.fetch('/fhir/Patient');
  await second.fetch('/fhir/Observation');
  assert.notEqual(
    first.received[0]!.headers.authorization,
    second.received[0]!.headers.authorization,
  );
  assert.equal(second.authorization.requests[0]!.form.get('scope'), 'system/Observation.read');
});

test("the client's own Authorization never reaches the upstream", async (t) => {
  const { fetch, received, authorization } = await startProxy(t, {
    fhir: (as) => requireToken(as, answerPatient),
  });
  await fetch('/fhir/Patient', { headers: { authorization: 'Basic aaaaaaaaaaaa' } });
  assert.equal(received[0]!.headers.authorization, `Bearer ${authorization.issued[0]}`);
});
