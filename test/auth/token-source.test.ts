import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

import { Agent } from 'undici';

import { createDiscovery, type Discovery } from '../../src/auth/discovery.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { createTokenSource, type TokenSourceOptions } from '../../src/auth/token-source.ts';
import type { AccessToken, TokenRequestEnd, TokenSource } from '../../src/base/contracts.ts';
import { TokenError } from '../../src/base/errors.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { rs384Key } from '../support/keys.ts';
import { createTestLog, type TestLog } from '../support/log.ts';

const SCOPES = ['system/Patient.read', 'system/Observation.read'];
const REFUSED = { status: 400, body: { error: 'invalid_client' } };
const DOWN = { status: 503, body: 'down' };

interface Setup {
  server: AuthorizationServer;
  source: TokenSource;
  discovery: Discovery;
  /** The wall clock, and by default the monotonic one too. */
  clock: ManualClock;
  log: TestLog;
}

interface SetupOptions extends Partial<TokenSourceOptions> {
  server?: Partial<AuthorizationServerOptions>;
}

/** A source in front of a real server; when the test ends, the log must hold no secret. */
async function setup(t: TestContext, options: SetupOptions = {}): Promise<Setup> {
  const { server: serverOptions, ...overrides } = options;
  const clock = createManualClock();
  const server = await startAuthorizationServer({
    keys: [rs384Key().publicJwk],
    clock: options.clock ?? clock,
    ...serverOptions,
  });
  const log = createTestLog();
  const dispatcher = new Agent();
  const shared = { dispatcher, timeoutMs: 5000, clock, logger: log.logger, ...overrides };
  const discovery = createDiscovery({ fhirBase: server.fhirBase, ...shared });
  const source = createTokenSource({
    client: { id: server.clientId, scopes: SCOPES },
    key: await loadSigningKey(rs384Key().text),
    discovery,
    monotonicNow: () => clock.now(),
    ...shared,
  });
  t.after(async () => {
    await source.close();
    await dispatcher.destroy();
    await server.close();
    log.watch.addSecret(...server.issued);
    for (const { form } of server.requests) {
      log.watch.addSecret(form.get('client_assertion') ?? 'no assertion');
    }
    log.watch.assertNone();
  });
  return { server, source, discovery, clock, log };
}

async function refuses(promise: Promise<unknown>): Promise<TokenError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TokenError, inspect(error));
    return error;
  }
  assert.fail('expected a TokenError');
}

/** Waits, turn by turn of the event loop, until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !condition();) {
    assert.ok(Date.now() < deadline, `never came true: ${condition.toString()}`);
    await turn();
  }
}

test('the first call asks, later calls reuse the token', async (t) => {
  const { server, source, clock } = await setup(t);
  assert.equal(source.current(), undefined);
  const token = await source.get();
  assert.equal(token.value, server.issued[0]);
  assert.equal(token.generation, 1);
  assert.equal(token.obtainedAtMs, clock.now());
  assert.equal(token.expiresAtMs, clock.now() + 300_000);
  assert.deepEqual(token.requestedScopes, SCOPES);
  assert.deepEqual(token.grantedScopes, SCOPES);
  assert.equal(source.current(), token);
  assert.equal(await source.get(), token);
  assert.equal(server.requests.length, 1);
  assert.doesNotMatch(inspect(token) + JSON.stringify(token), /test-token-/);
});

test('exactly the configured scopes are asked for', async (t) => {
  const { server, source } = await setup(t);
  await source.get();
  assert.equal(server.requests[0]?.form.get('scope'), SCOPES.join(' '));
});

test('500 concurrent cold calls make one token request', async (t) => {
  const { server, source } = await setup(t);
  const tokens = await Promise.all(Array.from({ length: 500 }, () => source.get()));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(server.requests.length, 1);
  assert.equal(server.discoveries.length, 1);
});

test('500 concurrent cold calls share one failure', async (t) => {
  const { server, source } = await setup(t);
  server.scriptToken(DOWN);
  const outcomes = await Promise.allSettled(Array.from({ length: 500 }, () => source.get()));
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  assert.equal(server.requests.length, 1);
});

test('from 75 % of its life a token is renewed in the background', async (t) => {
  const { server, source, clock } = await setup(t);
  const first = await source.get();
  clock.advance(224_999);
  assert.equal(source.current(), first);
  await turn();
  assert.equal(server.requests.length, 1);

  clock.advance(1);
  const release = server.hold();
  assert.equal(source.current(), first, 'nobody waits');
  assert.equal(await source.get(), first, 'nobody waits');
  await server.received(2);
  assert.equal(source.current(), first, 'the old one is used while the new one is on its way');
  release();
  await until(() => source.current()?.generation === 2);
  assert.equal(source.current()?.value, server.issued[1]);
  assert.equal(server.requests.length, 2);
});

test('a token is not used in its last 10 seconds: callers wait for the new one', async (t) => {
  const { server, source, clock } = await setup(t);
  await source.get();
  clock.advance(290_000);
  assert.equal(source.current(), undefined);
  const [one, other] = await Promise.all([source.get(), source.get()]);
  assert.equal(one.generation, 2);
  assert.equal(other, one);
  assert.equal(server.requests.length, 2);
});

test('of a short life the last tenth is not used', async (t) => {
  const { source, clock } = await setup(t, { server: { expiresInSeconds: 20 } });
  const token = await source.get();
  clock.advance(17_999);
  assert.equal(source.current(), token);
  clock.advance(1);
  assert.equal(source.current(), undefined);
});

test('across the lives of 3 s tokens no caller waits and no dead token is used', async (t) => {
  const { server, source } = await setup(t, {
    server: { expiresInSeconds: 3 },
    clock: { now: () => Date.now() },
    monotonicNow: () => performance.now(),
  });
  await source.get();
  let calls = 0;
  for (let generation = 1; generation < 3; calls += 1) {
    const token = source.current();
    assert.ok(token !== undefined, `no token in hand at call ${calls}`);
    assert.equal(server.check(token.value), 'live');
    generation = token.generation;
    await sleep(5);
  }
  assert.equal(server.requests.length, 3);
  assert.ok(calls > 300);
});

test('a timer renews a token that was used lately', async (t) => {
  const { server, source } = await setup(t, { server: { expiresInSeconds: 0.4 } });
  await source.get();
  await server.received(2);
  await until(() => source.state().generation === 2);
});

test('a token that nobody used for half its life is not renewed', async (t) => {
  const { server, source, clock } = await setup(t, { server: { expiresInSeconds: 0.4 } });
  await source.get();
  clock.advance(201);
  await sleep(400);
  assert.equal(server.requests.length, 1);
});

test('timers do not keep a program alive', async (t) => {
  const { source } = await setup(t);
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  await source.get();
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  assert.ok(after <= before, `${after} timers, ${before} before`);
});

test('a sleep of the machine or a clock set forward means a new token', async (t) => {
  let monotonicMs = 0;
  const { source, clock } = await setup(t, { monotonicNow: () => monotonicMs });
  await source.get();
  monotonicMs += 1000;
  clock.advance(3_600_000);
  assert.equal(source.current(), undefined);
  assert.equal((await source.get()).generation, 2);
});

test('a clock set back does not prolong a token', async (t) => {
  let monotonicMs = 0;
  const { server, source, clock } = await setup(t, { monotonicNow: () => monotonicMs });
  const first = await source.get();
  clock.advance(-3_600_000);
  assert.equal(source.current(), first, 'by the other clock it lives');
  await server.received(2);
  await until(() => source.current()?.generation === 2);
  monotonicMs += 290_000;
  assert.equal(source.current(), undefined);
  assert.equal((await source.get()).generation, 3);
});

test('without a token a failure is a 503 that says why', async (t) => {
  const { server, source, log } = await setup(t);
  server.scriptToken(REFUSED);
  const error = await refuses(source.get());
  assert.equal(error.code, 'token-refused');
  assert.equal(error.status, 503);
  assert.equal(error.kind, 'configuration');
  assert.equal(error.retryAfterSeconds, 5);
  assert.equal(error.answer?.status, 400);
  assert.equal(error.answer?.body, '{"error":"invalid_client"}');
  assert.equal(source.current(), undefined);
  const [warning] = log.entries('warn');
  assert.match(warning?.msg ?? '', /^no access token: the token endpoint .* "invalid_client"/);
  assert.deepEqual([warning?.['code'], warning?.['kind']], ['token-refused', 'configuration']);
});

test('failures are answered from memory until the back-off ends', async (t) => {
  const { server, source, clock } = await setup(t);
  server.scriptToken(DOWN, DOWN);
  assert.equal((await refuses(source.get())).retryAfterSeconds, 1);
  for (let call = 0; call < 100; call += 1) await refuses(source.get());
  assert.equal(server.requests.length, 1);

  clock.advance(1000);
  assert.equal((await refuses(source.get())).retryAfterSeconds, 2);
  clock.advance(1999);
  assert.equal((await refuses(source.get())).retryAfterSeconds, 1);
  assert.equal(server.requests.length, 2);
  clock.advance(1);
  assert.equal(source.isFailing(), true);
  assert.equal((await source.get()).generation, 1);
  assert.equal(source.isFailing(), false);
  assert.equal(source.state().lastError, undefined);
});

test('a configuration failure does not hammer the server', async (t) => {
  const { server, source, clock } = await setup(t);
  server.scriptToken(...Array.from({ length: 20 }, () => REFUSED));
  for (let second = 0; second < 120; second += 1) {
    await Promise.allSettled([source.get(), source.get()]);
    clock.advance(1000);
  }
  assert.equal(server.requests.length, 6, 'after 0, 5, 15, 35, 65 and 95 seconds');
});

test('Retry-After is honoured', async (t) => {
  const { server, source, clock } = await setup(t);
  server.scriptToken({ status: 429, headers: { 'retry-after': '90' } });
  assert.equal((await refuses(source.get())).retryAfterSeconds, 90);
  clock.advance(89_999);
  await refuses(source.get());
  assert.equal(server.requests.length, 1);
  clock.advance(1);
  await source.get();
});

test('every attempt has a new assertion', async (t) => {
  const { server, source, clock } = await setup(t);
  server.scriptToken(DOWN, 'reset', REFUSED);
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await Promise.allSettled([source.get()]);
    clock.advance(60_000);
  }
  const ids = server.requests.map(({ claims }) => claims?.['jti']);
  assert.equal(ids.length, 4);
  assert.equal(new Set(ids).size, 4);
});

test('while renewing fails, the old token is used as long as it lives', async (t) => {
  const { server, source, clock } = await setup(t);
  const token = await source.get();
  server.scriptToken(...Array.from({ length: 20 }, () => DOWN));
  clock.advance(225_000);
  assert.equal(source.current(), token);
  await until(() => source.state().lastError !== undefined);
  assert.equal(source.state().state, 'live');

  clock.advance(70_000);
  assert.equal(source.current(), token, 'in its last seconds too');
  assert.equal(source.isFailing(), true);
  assert.equal(await source.get(), token);
  await server.received(3);
  await until(() => source.state().requests === 3 && source.state().lastError !== undefined);
  clock.advance(5000);
  assert.equal(source.current(), undefined, 'dead');
  assert.equal((await refuses(source.get())).code, 'token-endpoint-failed');
  assert.equal(source.state().state, 'failed');
});

test('a caller in the last seconds gets the old token when renewing fails', async (t) => {
  const { server, source, clock } = await setup(t);
  const token = await source.get();
  clock.advance(295_000);
  server.scriptToken(DOWN);
  assert.equal(source.current(), undefined);
  assert.equal(await source.get(), token);
});

test('in the background, renewing keeps to the back-off', async (t) => {
  const { server, source, clock } = await setup(t);
  await source.get();
  clock.advance(225_000);
  server.scriptToken(DOWN);
  source.current();
  await until(() => source.state().lastError !== undefined);
  for (let call = 0; call < 100; call += 1) source.current();
  await turn();
  assert.equal(server.requests.length, 2);
  clock.advance(1000);
  source.current();
  await until(() => source.current()?.generation === 2);
  assert.equal(server.requests.length, 3);
});

test('reset ends the back-off at once', async (t) => {
  const { server, source } = await setup(t);
  server.scriptToken(REFUSED);
  await refuses(source.get());
  source.reset();
  assert.equal((await source.get()).generation, 1);
  assert.equal(server.requests.length, 2);
});

test('a failure that began before reset does not block what comes after', async (t) => {
  const { server, source } = await setup(t);
  const release = server.hold();
  server.scriptToken(REFUSED);
  const failing = refuses(source.get());
  await server.received(1);
  source.reset();
  release();
  assert.equal((await failing).code, 'token-refused');
  assert.equal((await source.get()).generation, 1);
});

test('reset keeps a token that lives', async (t) => {
  const { server, source } = await setup(t);
  const token = await source.get();
  source.reset();
  assert.equal(source.current(), token);
  assert.equal(server.requests.length, 1);
});

test('replace gives the newer token that is in hand', async (t) => {
  const { server, source, clock } = await setup(t);
  const first = await source.get();
  clock.advance(290_000);
  const second = await source.get();
  assert.equal(await source.replace(first), second);
  assert.equal(server.requests.length, 2);
});

test('concurrent replacements of one token make one token request', async (t) => {
  const { server, source } = await setup(t);
  const refused = await source.get();
  const release = server.hold();
  const replacements = Array.from({ length: 100 }, () => source.replace(refused));
  await server.received(2);
  assert.equal(source.current(), undefined, 'a refused token is not handed out');
  const waiting = source.get();
  release();
  const tokens = await Promise.all([...replacements, waiting]);
  assert.equal(new Set(tokens).size, 1);
  assert.equal(tokens[0]?.generation, 2);
  assert.equal(server.requests.length, 2);
  assert.equal(await source.replace(refused), tokens[0]);
  assert.equal(server.requests.length, 2);
});

test('replace joins the renewal that is under way', async (t) => {
  const { server, source, clock } = await setup(t);
  const first = await source.get();
  clock.advance(225_000);
  const release = server.hold();
  source.current();
  await server.received(2);
  const replaced = source.replace(first);
  release();
  assert.equal((await replaced).generation, 2);
  assert.equal(server.requests.length, 2);
});

test('when replacing fails, the refused token goes on being used: a 401 proves nothing', async (t) => {
  const { server, source, clock } = await setup(t);
  const refused = await source.get();
  server.scriptToken(DOWN);
  assert.equal((await refuses(source.replace(refused))).code, 'token-endpoint-failed');
  assert.equal(source.current(), refused);
  await refuses(source.replace(refused));
  assert.equal(server.requests.length, 2, 'the back-off holds for replacements too');
  clock.advance(1000);
  assert.equal(source.current(), refused);
  await until(() => source.current()?.generation === 2);
  assert.equal(server.requests.length, 3);
});

test('one token request is in flight at most, whoever asks', async (t) => {
  const { server, source, clock } = await setup(t);
  const first = await source.get();
  clock.advance(226_000);
  const release = server.hold();
  const asked: Promise<AccessToken>[] = [];
  for (let round = 0; round < 20; round += 1) {
    source.current();
    asked.push(source.get(), source.replace(first));
    await turn();
  }
  await server.received(2);
  release();
  await Promise.all(asked);
  assert.equal(server.requests.length, 2);
});

test('scopes that were not granted are named in the log and stand in the state', async (t) => {
  const registeredScopes = ['system/Patient.read'];
  const { source, clock, log } = await setup(t, { server: { registeredScopes } });
  const token = await source.get();
  assert.deepEqual(token.requestedScopes, SCOPES);
  assert.deepEqual(token.grantedScopes, registeredScopes);
  assert.deepEqual(source.state().grantedScopes, registeredScopes);
  clock.advance(290_000);
  await source.get();
  const warnings = log.entries('warn');
  assert.equal(warnings.length, 1, 'told once');
  assert.deepEqual(warnings[0]?.['missingScopes'], ['system/Observation.read']);
});

test('an answer without expires_in is good for a minute', async (t) => {
  const { server, source, clock, log } = await setup(t);
  server.answerOverrides = { expires_in: undefined };
  const token = await source.get();
  assert.equal(token.expiresAtMs, clock.now() + 60_000);
  clock.advance(54_000);
  await source.get();
  assert.equal(log.entries('warn').length, 1);
  assert.match(log.entries('warn')[0]?.msg ?? '', /no usable "expires_in"/);
});

test('a token that took longer to come than it lives is given to those who waited only', async (t) => {
  const { server, source, clock } = await setup(t, { server: { expiresInSeconds: 5 } });
  const release = server.hold();
  const waiting = source.get();
  await server.received(1);
  clock.advance(6000);
  release();
  assert.equal((await waiting).generation, 1);
  assert.equal(source.current(), undefined);
});

test('the state tells everything but the token', async (t) => {
  const { server, source, clock } = await setup(t);
  const common = { requestedScopes: SCOPES };
  assert.deepEqual(source.state(), {
    ...common,
    state: 'none',
    generation: 0,
    grantedScopes: [],
    requests: 0,
  });
  server.scriptToken(REFUSED);
  const error = await refuses(source.get());
  assert.deepEqual(source.state(), {
    ...common,
    state: 'failed',
    generation: 0,
    grantedScopes: [],
    requests: 1,
    lastError: error,
  });
  source.reset();
  const token = await source.get();
  const { obtainedAtMs, expiresAtMs } = token;
  assert.deepEqual(source.state(), {
    ...common,
    state: 'live',
    generation: 1,
    obtainedAtMs,
    expiresAtMs,
    grantedScopes: SCOPES,
    requests: 2,
  });
  assert.ok(!inspect(source.state(), { depth: 9, showHidden: true }).includes(token.value));
  clock.advance(300_000);
  assert.equal(source.state().state, 'none');
});

test('the token endpoint and the audience', async (t) => {
  const elsewhere = 'https://site-address.example/oauth2/default/token';
  interface Case {
    configured: boolean;
    audience?: string;
    announced?: string;
    expectedAudience: string;
    discoveries: number;
  }
  const cases: Record<string, Case> = {
    'both as discovered': { configured: false, expectedAudience: 'itself', discoveries: 1 },
    'a configured audience': {
      configured: false,
      audience: 'urn:other',
      expectedAudience: 'urn:other',
      discoveries: 1,
    },
    'a configured endpoint: the audience is what the server announces': {
      configured: true,
      announced: elsewhere,
      expectedAudience: elsewhere,
      discoveries: 1,
    },
    'a configured endpoint, no SMART configuration: it is the audience': {
      configured: true,
      announced: '',
      expectedAudience: 'itself',
      discoveries: 1,
    },
    'both configured: no discovery at all': {
      configured: true,
      audience: 'urn:other',
      expectedAudience: 'urn:other',
      discoveries: 0,
    },
  };
  for (const [name, expected] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const server = await startAuthorizationServer({ keys: [rs384Key().publicJwk] });
      t.after(() => server.close());
      const other = await setup(t, {
        ...(expected.configured && { tokenEndpoint: server.tokenEndpoint }),
        ...(expected.audience !== undefined && { audience: expected.audience }),
      });
      const asked = expected.configured ? server : other.server;
      if (expected.announced !== undefined) {
        other.server.configurationOverrides = { token_endpoint: expected.announced };
      }
      await Promise.allSettled([other.source.get()]);
      const { expectedAudience } = expected;
      assert.equal(
        asked.requests[0]?.claims?.['aud'],
        expectedAudience === 'itself' ? asked.tokenEndpoint : expectedAudience,
      );
      assert.equal(other.server.discoveries.length, expected.discoveries);
    });
  }
});

test('without a SMART configuration and a token endpoint the error says what to set', async (t) => {
  const { server, source } = await setup(t);
  server.scriptDiscovery({ status: 404 });
  const error = await refuses(source.get());
  assert.equal(error.code, 'discovery-failed');
  assert.match(error.message, /set "tokenEndpoint"$/);
  assert.equal(server.requests.length, 0);
  assert.equal(source.state().requests, 0);
});

test('after a configuration failure the SMART configuration is read anew', async (t) => {
  const { server, source, clock } = await setup(t);
  server.configurationOverrides = { token_endpoint: `${server.tokenEndpoint}?old` };
  assert.equal((await refuses(source.get())).code, 'token-refused', 'the audience is wrong');
  server.configurationOverrides = {};
  clock.advance(5000);
  assert.equal((await source.get()).generation, 1);
  assert.equal(server.discoveries.length, 2);
});

test('an https upstream that announces an http token endpoint gets no assertion', async (t) => {
  const discovery = {
    url: 'https://h.example/fhir/.well-known/smart-configuration',
    get: async () => ({ tokenEndpoint: 'http://h.example/oauth2/default/token' }),
    last: () => undefined,
    reset: () => undefined,
  } as unknown as Discovery;
  const { server, source } = await setup(t, { discovery });
  const error = await refuses(source.get());
  assert.equal(error.code, 'token-endpoint-insecure');
  assert.equal(error.kind, 'configuration');
  assert.match(
    error.message,
    /expected https, .*Set "tokenEndpoint" of the route to the https address/,
  );
  assert.equal(server.requests.length, 0);
});

test('a failure of our own making is a TokenError too', async (t) => {
  const key = await loadSigningKey(rs384Key().text);
  const { source } = await setup(t, { key: { ...key, privateKey: rs384Key().publicKey } });
  const error = await refuses(source.get());
  assert.equal(error.code, 'token-request-failed');
  assert.ok(error.cause instanceof Error);
});

test('close ends the request in flight; nothing is asked afterwards', async (t) => {
  const { server, source } = await setup(t);
  let connectionClosed: Promise<unknown> | undefined;
  server.scriptToken((request) => {
    connectionClosed = once(request.socket, 'close');
  });
  const waiting = [refuses(source.get()), refuses(source.get())];
  await until(() => connectionClosed !== undefined);
  await source.close();
  for (const error of await Promise.all(waiting)) assert.equal(error.code, 'token-source-closed');
  await connectionClosed;
  assert.equal((await refuses(source.get())).code, 'token-source-closed');
  assert.equal(source.current(), undefined);
  await source.close();
  assert.equal(server.requests.length, 1);
});

test('after close the token in hand serves what is still under way, without being renewed', async (t) => {
  const { server, source, clock } = await setup(t);
  const token = await source.get();
  await source.close();
  clock.advance(280_000);
  assert.equal(source.current(), token);
  await turn();
  assert.equal(server.requests.length, 1);
});

test('close ends a discovery in flight too', async (t) => {
  const { server, source } = await setup(t);
  server.scriptDiscovery('hang');
  const waiting = refuses(source.get());
  await until(() => server.discoveries.length === 1);
  await source.close();
  assert.equal((await waiting).code, 'token-source-closed');
});

test('the first token and one after a failure are news, renewals are not', async (t) => {
  const { server, source, clock, log } = await setup(t);
  await source.get();
  clock.advance(290_000);
  await source.get();
  clock.advance(290_000);
  server.scriptToken(DOWN);
  await source.get();
  clock.advance(10_000);
  await source.get();
  const told = log.entries().filter(({ msg }) => msg === 'access token obtained');
  assert.deepEqual(
    told.map(({ level }) => level),
    ['info', 'debug', 'info'],
  );
});

test('every token request is told with its reason and its end', async (t) => {
  const ends: string[] = [];
  const onTokenRequest = (end: TokenRequestEnd) => void ends.push(`${end.reason} ${end.outcome}`);
  const { server, source, clock } = await setup(t, { onTokenRequest });
  server.scriptToken(REFUSED);
  await refuses(source.get());
  source.reset();
  const [first] = await Promise.all([source.get(), source.get()]);
  await source.replace(first);
  clock.advance(240_000);
  source.current();
  await until(() => ends.length === 4);
  source.reset();
  server.scriptToken(DOWN);
  clock.advance(240_000);
  source.current();
  await until(() => ends.length === 5);
  assert.deepEqual(ends, [
    'first configuration',
    'first granted',
    'replacement granted',
    'renewal granted',
    'renewal transient',
  ]);
});
