/**
 * Exchanges recorded from OpenEMR 7.0.3 (test/fixtures/openemr-7.0.3), as facts that the token code
 * obeys. Tokens and assertions are blanked in them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';

import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Agent } from 'undici';

import { buildClientAssertion } from '../../src/auth/client-assertion.ts';
import { createDiscovery } from '../../src/auth/discovery.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { holdToken, isUsable } from '../../src/auth/token-lifetime.ts';
import { buildTokenRequest } from '../../src/auth/token-request.ts';
import { createTokenSource } from '../../src/auth/token-source.ts';
import { TokenError } from '../../src/base/errors.ts';
import { type ScriptedAnswer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createManualClock } from '../support/clock.ts';
import { rs384Key } from '../support/keys.ts';
import { createTestLog } from '../support/log.ts';

interface Transcript {
  request: {
    method: string;
    url: string;
    headers: Record<string, string>;
    form: Record<string, string>;
    assertion_decoded: {
      header: Record<string, string>;
      claims: Record<string, string | number>;
      signature_bytes: number;
    };
  };
  response: {
    status: number;
    headers: Record<string, string | string[]>;
    body: Record<string, string | number>;
  };
}

interface LifetimeTranscript {
  request_sent_epoch: number;
  expires_in: number;
  claims: { exp: number };
  /** Seconds relative to `exp`, status, start of the body. */
  seen: [number, number, string][];
}

function read(name: string): unknown {
  const file = new URL(`../fixtures/openemr-7.0.3/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const success = read('001-token-success') as Transcript;
const firstUse = read('057-token-jti-first-use') as Transcript;
const replayed = read('058-token-jti-replayed') as Transcript;
const lifetime = read('482-token-exact-lifetime') as LifetimeTranscript;

/** As long as OpenEMR's tokens, in place of the blanked one. */
const TOKEN = `${'a'.repeat(36)}.${'b'.repeat(410)}.${'c'.repeat(342)}`;
/** Fields that belong to one connection; Node writes its own. */
const CONNECTION_FIELDS = /^(?:connection|transfer-encoding|keep-alive)$/i;

/** The recorded answer, for a server to give. */
function play({ response }: Transcript) {
  const headers = Object.entries(response.headers).filter(
    ([name]) => !CONNECTION_FIELDS.test(name),
  );
  const body = { ...response.body };
  if ('access_token' in body) body['access_token'] = TOKEN;
  return { status: response.status, headers: Object.fromEntries(headers), body };
}

function recordedTime({ response }: Transcript): number {
  return Date.parse(String(response.headers['Date']));
}

async function setup(t: TestContext, startMs: number) {
  const clock = createManualClock(startMs);
  const made = rs384Key();
  const server = await startAuthorizationServer({
    keys: [made.publicJwk],
    clientId: String(success.request.assertion_decoded.claims['sub']),
    clock,
  });
  const dispatcher = new Agent();
  const log = createTestLog();
  const shared = { dispatcher, timeoutMs: 5000, clock, logger: log.logger };
  const key = await loadSigningKey(made.text);
  const source = createTokenSource({
    client: { id: server.clientId, scopes: ['system/Patient.read'] },
    key,
    discovery: createDiscovery({ fhirBase: server.fhirBase, ...shared }),
    monotonicNow: () => clock.now(),
    ...shared,
  });
  t.after(async () => {
    await source.close();
    await dispatcher.destroy();
    await server.close();
    log.watch.addSecret(TOKEN);
    log.watch.assertNone();
  });
  return { server, source, clock, key, log };
}

test('001: our request has the shape that OpenEMR takes', async (t) => {
  const { key, clock } = await setup(t, recordedTime(success));
  const { url, headers, form, assertion_decoded: recorded } = success.request;
  const clientId = String(recorded.claims['sub']);
  const assertion = await buildClientAssertion({ key, clientId, audience: url, clock });
  const ours = buildTokenRequest({ scopes: ['system/Patient.read'], assertion });

  assert.equal(ours.headers['content-type'], headers['Content-Type']);
  const parameters = Object.fromEntries(new URLSearchParams(ours.body));
  assert.deepEqual({ ...parameters, client_assertion: '' }, { ...form, client_assertion: '' });

  const header = decodeProtectedHeader(assertion);
  assert.deepEqual({ ...header, kid: '' }, { ...recorded.header, kid: '' });
  const claims = decodeJwt(assertion);
  assert.deepEqual(Object.keys(claims).sort(), Object.keys(recorded.claims).sort());
  for (const name of ['iss', 'sub', 'aud', 'iat']) {
    assert.equal(claims[name], recorded.claims[name], name);
  }
  const signature = Buffer.from(assertion.split('.')[2] ?? '', 'base64url');
  assert.equal(signature.length, recorded.signature_bytes);
});

test('001: the answer is read as OpenEMR writes it', async (t) => {
  const { server, source, clock, log } = await setup(t, recordedTime(success));
  server.scriptToken(play(success), play(success));
  const token = await source.get();
  assert.equal(token.value, TOKEN);
  assert.equal(token.value.length, 790);
  assert.equal(token.expiresAtMs - token.obtainedAtMs, 300_000);
  assert.deepEqual(token.grantedScopes, ['system/Patient.read']);
  assert.deepEqual(log.entries('warn'), []);

  clock.advance(290_000);
  await source.get();
  const fields = server.requests[1]?.rawHeaders.map((field) => field.toLowerCase());
  assert.ok(!fields?.includes('cookie'), 'its two cookies do not come back');
});

test('057, 058: one assertion sent twice is refused, with the body that hides every cause', async (t) => {
  assert.equal(
    firstUse.request.assertion_decoded.claims['jti'],
    replayed.request.assertion_decoded.claims['jti'],
  );
  assert.deepEqual([firstUse.response.status, replayed.response.status], [200, 400]);
  const { server, source } = await setup(t, recordedTime(replayed));
  server.scriptToken(play(replayed));
  await assert.rejects(source.get(), (error) => {
    assert.ok(error instanceof TokenError);
    assert.equal(error.code, 'token-refused');
    assert.match(error.message, /"invalid_client" \(Client authentication failed\), status 400$/);
    assert.deepEqual(JSON.parse(error.answer?.body ?? ''), replayed.response.body);
    assert.equal(error.answer?.contentType, 'application/json');
    return true;
  });
});

test('057, 058: so every attempt has a fresh jti, after every kind of failure too', async (t) => {
  const { server, source, clock } = await setup(t, recordedTime(firstUse));
  const used = new Set<unknown>();
  const openemr: RequestListener = (_request, response) => {
    const jti = server.requests.at(-1)?.claims?.['jti'];
    const { status, headers, body } = play(used.has(jti) ? replayed : firstUse);
    used.add(jti);
    response.writeHead(status, headers);
    response.end(JSON.stringify(body));
  };
  const failures: ScriptedAnswer[] = [play(replayed), 'reset', { status: 503 }, { status: 302 }];
  server.scriptToken(...failures, openemr, openemr, openemr, openemr);
  for (const _ of failures) {
    await Promise.allSettled([source.get(), source.get()]);
    clock.advance(60_000);
  }
  const first = await source.get();
  const second = await source.replace(first);
  clock.advance(290_000);
  const third = await source.get();
  assert.deepEqual(
    [first, second, third].map(({ generation }) => generation),
    [1, 2, 3],
  );
  const ids = server.requests.map(({ claims }) => claims?.['jti']);
  assert.equal(ids.length, 7);
  assert.equal(new Set(ids).size, 7);

  const body = server.requests.at(-1)?.form ?? '';
  const again = await fetch(server.tokenEndpoint, { method: 'POST', body });
  assert.equal(again.status, 400, 'the same assertion once more is refused');
  assert.deepEqual(await again.json(), replayed.response.body);
});

test('482: a token is not used in the second in which OpenEMR no longer takes it', async (t) => {
  const sentMs = lifetime.request_sent_epoch * 1000;
  const at = (seconds: number) => (lifetime.claims.exp + seconds) * 1000;
  const refused = lifetime.seen.filter(([, status]) => status === 401);
  const firstRefusedMs = at(refused[0]?.[0] ?? Number.NaN);
  assert.ok(firstRefusedMs < sentMs + lifetime.expires_in * 1000, 'dead before expires_in says so');

  const held = holdToken({
    accessToken: TOKEN,
    generation: 1,
    sent: { wallMs: sentMs, monotonicMs: 0 },
    expiresInSeconds: lifetime.expires_in,
    requestedScopes: [],
    grantedScopes: [],
  });
  for (const [seconds] of refused) {
    const wallMs = at(seconds);
    assert.equal(isUsable(held, { wallMs, monotonicMs: wallMs - sentMs }), false, String(seconds));
  }
  // Seconds to spare, for a request that is slow to arrive.
  assert.equal(isUsable(held, { wallMs: firstRefusedMs - 9000, monotonicMs: 0 }), false);

  const { source, clock } = await setup(t, sentMs);
  const first = await source.get();
  clock.advance(at(lifetime.seen[0]?.[0] ?? Number.NaN) - sentMs);
  assert.equal(source.current(), undefined);
  assert.notEqual((await source.get()).value, first.value);
});
