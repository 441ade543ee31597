import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { Agent } from 'undici';

import { clockDifference } from '../../src/auth/http-answer.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { buildTokenRequest, requestToken } from '../../src/auth/token-request.ts';
import { TokenError } from '../../src/base/errors.ts';
import {
  type AuthorizationServer,
  type ScriptedAnswer,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { createManualClock } from '../support/clock.ts';
import { rs384Key } from '../support/keys.ts';

const SCOPES = ['system/Patient.read', 'system/*.$export'];

async function setup(t: TestContext, timeoutMs = 5000) {
  const server = await startAuthorizationServer({ keys: [rs384Key().publicJwk] });
  const dispatcher = new Agent();
  t.after(async () => {
    await dispatcher.destroy();
    await server.close();
  });
  const clock = createManualClock();
  const ending = new AbortController();
  const key = await loadSigningKey(rs384Key().text);
  const ask = (url = server.tokenEndpoint) =>
    requestToken({
      url,
      audience: server.tokenEndpoint,
      client: { id: server.clientId, scopes: SCOPES },
      key,
      dispatcher,
      timeoutMs,
      clock,
      signal: ending.signal,
    });
  return { server, ask, clock, ending };
}

async function refuses(promise: Promise<unknown>): Promise<TokenError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TokenError, String(error));
    return error;
  }
  assert.fail('expected a TokenError');
}

function names(server: AuthorizationServer): string[] {
  return (server.requests[0]?.rawHeaders ?? []).filter((_, index) => index % 2 === 0);
}

test('the request is a form with the four parameters of a client_credentials grant', () => {
  const { headers, body } = buildTokenRequest({ scopes: SCOPES, assertion: 'h.c.s' });
  assert.deepEqual(headers, {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  });
  assert.equal(
    body,
    'grant_type=client_credentials&scope=system%2FPatient.read+system%2F*.%24export&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=h.c.s',
  );
});

test('a server that verifies grants the token', async (t) => {
  const { server, ask } = await setup(t);
  const response = await ask();
  assert.equal(response.accessToken, server.issued[0]);
  assert.equal(response.expiresInSeconds, 300);
  assert.deepEqual(response.grantedScopes, SCOPES);
});

test('no field is sent that changes what OpenEMR answers', async (t) => {
  const { server, ask } = await setup(t);
  await ask();
  assert.deepEqual(names(server), [
    'host',
    'connection',
    'user-agent',
    'content-type',
    'accept',
    'content-length',
  ]);
});

test('a cookie that the server sets is not sent back', async (t) => {
  const { server, ask } = await setup(t);
  server.scriptToken({ status: 500, headers: { 'set-cookie': 'authserverOpenEMR=1; path=/' } });
  await refuses(ask());
  await ask();
  assert.ok(!server.requests[1]?.rawHeaders.includes('cookie'));
});

test('a redirect is not followed: the assertion reaches nobody else', async (t) => {
  const { server, ask } = await setup(t);
  const other = await startAuthorizationServer({ keys: [rs384Key().publicJwk] });
  t.after(() => other.close());
  for (const status of [301, 302, 303, 307, 308]) {
    server.scriptToken({ status, headers: { location: other.tokenEndpoint } });
    const error = await refuses(ask());
    assert.equal(error.code, 'token-endpoint-redirected');
    assert.ok(error.message.includes(`the redirect ${status} to "${other.tokenEndpoint}"`));
  }
  assert.equal(other.requests.length, 0);
  assert.equal(server.requests.length, 5);
});

test('what is no answer becomes an error of its own', async (t) => {
  const cases: [name: string, answer: ScriptedAnswer, message: RegExp][] = [
    ['reset', 'reset', /: the connection was closed before the answer was complete; check/],
    ['hang', 'hang', /: no answer came in time; .*raise "timeouts\.tokenMs"$/],
    [
      'half an answer',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"access_token":');
        setImmediate(() => response.destroy());
      },
      /: the connection was closed before the answer was complete/,
    ],
  ];
  for (const [name, answer, message] of cases) {
    await t.test(name, async (t) => {
      const { server, ask } = await setup(t, name === 'hang' ? 100 : 5000);
      server.scriptToken(answer);
      const error = await refuses(ask());
      assert.equal(error.code, 'token-endpoint-unreachable');
      assert.equal(error.kind, 'transient');
      assert.equal(error.answer, undefined);
      assert.ok(
        error.message.startsWith(`no answer from the token endpoint "${server.tokenEndpoint}"`),
      );
      assert.match(error.message, message);
    });
  }
});

test('an answer without end is cut off at 1 MiB', async (t) => {
  const { server, ask } = await setup(t);
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  server.scriptToken((_request, response) => {
    response.on('close', closed);
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  assert.equal((await refuses(ask())).code, 'token-answer-too-large');
  await isClosed;
});

test('the signal ends the request', async (t) => {
  const { server, ask, ending } = await setup(t);
  server.scriptToken('hang');
  const asking = ask();
  await server.received(1);
  const reason = new Error('the end');
  ending.abort(reason);
  await assert.rejects(asking, reason);
  await assert.rejects(ask(), reason);
});

test('Retry-After is read as seconds and as a date', async (t) => {
  const { server, ask, clock } = await setup(t);
  const inAMinute = new Date(Math.ceil(clock.now() / 1000) * 1000 + 60_000).toUTCString();
  const cases: [value: string, least: number | undefined, most: number | undefined][] = [
    ['17', 17, 17],
    [inAMinute, 60, 61],
    ['Thu, 01 Jan 2015 00:00:00 GMT', 0, 0],
    ['soon', undefined, undefined],
    ['-5', undefined, undefined],
  ];
  for (const [value, least, most] of cases) {
    server.scriptToken({ status: 503, headers: { 'retry-after': value } });
    const { retryAfterSeconds } = await refuses(ask());
    if (least === undefined) assert.equal(retryAfterSeconds, undefined, value);
    else assert.ok(retryAfterSeconds! >= least && retryAfterSeconds! <= most!, value);
  }
});

test('the difference of the clocks is the least that explains the Date field', () => {
  const date = 'Mon, 23 Nov 2026 18:27:25 GMT';
  const stamp = Date.parse(date);
  const cases: [sent: number, received: number, expected: number][] = [
    [stamp + 100, stamp + 300, 0],
    [stamp - 300, stamp + 1500, 0],
    [stamp - 50, stamp, 0],
    [stamp + 999, stamp + 1200, 0],
    [stamp - 90_300, stamp - 90_000, 90_000],
    [stamp + 90_000, stamp + 90_300, -89_001],
  ];
  for (const [sent, received, expected] of cases) {
    assert.equal(clockDifference(date, sent, received), expected);
  }
  assert.equal(clockDifference(undefined, 0, 0), undefined);
  assert.equal(clockDifference('yesterday', 0, 0), undefined);
});

test('a refusal carries the difference of the clocks', async (t) => {
  const { server, ask, clock } = await setup(t);
  clock.advance(-600_000);
  server.scriptToken({ status: 400, body: { error: 'invalid_client' } });
  const error = await refuses(ask());
  const seconds = Math.round((error.answer?.clockDifferenceMs ?? 0) / 1000);
  assert.ok(seconds >= 599 && seconds <= 602, String(seconds));
  assert.match(error.message, /its clock is (599|60[0-2]) s ahead of ours/);
});
