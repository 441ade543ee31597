import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';

import {
  type FaultSettings,
  noFaults,
  parseFaults,
  parseFaultText,
} from '../../src/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { send } from '../support/conformance/send.ts';
import { askToken, requestToken } from '../support/sandbox-fhir.ts';

const SCOPES = ['system/Patient.read'];

async function start(t: TestContext, options: Parameters<typeof startSandbox>[0] = {}) {
  const sandbox = await startSandbox(options);
  t.after(() => sandbox.close());
  return sandbox;
}

async function call(sandbox: Sandbox, token: string, path = '/Patient?_count=1') {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(sandbox.fhirBase + path, { headers });
  return { status: response.status, text: await response.text() };
}

async function setFaults(sandbox: Sandbox, body: unknown, method = 'POST') {
  const response = await fetch(`${sandbox.url}/__sandbox/faults`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const logOf = (sandbox: Sandbox): string => readFileSync(sandbox.errorLog, 'utf8');

/** Faults of access tokens: what a call gets, and what the log then says. */
const TOKEN_FAULTS: readonly [keyof FaultSettings, string, RegExp][] = [
  [
    'token-expired',
    'Access token could not be verified',
    /verifyAccessToken\(\) OAuthServerException/,
  ],
  ['token-revoked', 'Access token has been revoked', /dispatch\.php access token was revoked/],
  ['token-row-gone', '', /dispatch\.php api call with invalid token \[\] \[\]/],
];

for (const [fault, hint, line] of TOKEN_FAULTS) {
  test(`${fault}: "issued" hits the tokens of now, true hits every token`, async (t) => {
    const sandbox = await start(t);
    const old = await requestToken(sandbox, SCOPES);
    assert.equal((await call(sandbox, old)).status, 200);

    await setFaults(sandbox, { [fault]: 'issued' });
    const refused = await call(sandbox, old);
    assert.equal(refused.status, 401);
    if (hint === '') assert.equal(refused.text, '');
    else assert.equal((JSON.parse(refused.text) as { hint: string }).hint, hint);
    assert.match(logOf(sandbox), line);
    const fresh = await requestToken(sandbox, SCOPES);
    assert.equal((await call(sandbox, fresh)).status, 200);

    await setFaults(sandbox, { [fault]: true });
    assert.equal((await call(sandbox, fresh)).status, 401);
    assert.equal((await call(sandbox, await requestToken(sandbox, SCOPES))).status, 401);

    await setFaults(sandbox, undefined, 'DELETE');
    assert.equal((await call(sandbox, fresh)).status, 200);
  });
}

/** Faults of the token endpoint: status, `error`, log line. */
const GRANT_FAULTS: readonly [Partial<FaultSettings>, number, RegExp][] = [
  [{ 'client-disabled': true }, 401, /client returned was not enabled \{"client":"[\w-]{43}"\}/],
  [{ 'jwks-unreachable': true }, 401, /failed to retrieve jwk contents from jwk_uri/],
  [{ 'clock-skew': 500 }, 400, /details:\\\\n- The token is expired/],
  [{ 'clock-skew': -500 }, 400, /details:\\\\n- The token was issued in the future/],
];

for (const [faults, status, line] of GRANT_FAULTS) {
  test(`${JSON.stringify(faults)}: no token, and the log says why`, async (t) => {
    const sandbox = await start(t);
    const token = await requestToken(sandbox, SCOPES);
    sandbox.setFaults(faults);
    const answer = await askToken(sandbox, SCOPES);
    assert.equal(answer.status, status);
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client');
    assert.match(logOf(sandbox), line);
    if ('client-disabled' in faults) assert.equal((await call(sandbox, token)).status, 200);
    sandbox.setFaults(noFaults());
    assert.equal((await askToken(sandbox, SCOPES)).status, 200);
  });
}

test('database-down: an empty 500 everywhere', async (t) => {
  const sandbox = await start(t);
  const token = await requestToken(sandbox, SCOPES);
  sandbox.setFaults({ 'database-down': true });
  assert.deepEqual(await call(sandbox, token), { status: 500, text: '' });
  const answer = await askToken(sandbox, SCOPES);
  assert.deepEqual([answer.status, await answer.text()], [500, '']);
  assert.match(logOf(sandbox), /PHP Fatal error: {2}Uncaught TypeError: mysqli_query\(\)/);
});

test('php-fpm-down: Apache answers 503 with a page of its own', async (t) => {
  const sandbox = await start(t, { faults: { 'php-fpm-down': true } });
  const answer = await call(sandbox, 'x');
  assert.equal(answer.status, 503);
  assert.match(answer.text, /<title>503 Service Unavailable<\/title>/);
  assert.match(logOf(sandbox), /AH01079: failed to make connection to backend/);
});

test('server-keys-mismatched: tokens are issued and every call is refused', async (t) => {
  const sandbox = await start(t, { faults: { 'server-keys-mismatched': true } });
  const answer = await call(sandbox, await requestToken(sandbox, SCOPES));
  assert.equal(answer.status, 401);
  assert.match(answer.text, /Access token could not be verified/);
});

test('slow-token and slow-answer wait, each for its own requests', async (t) => {
  const sandbox = await start(t, { faults: { 'slow-token': 150 } });
  const before = performance.now();
  const token = await requestToken(sandbox, SCOPES);
  assert.ok(performance.now() - before >= 149);
  sandbox.setFaults({ 'slow-token': 0, 'slow-answer': 150 });
  const between = performance.now();
  assert.equal((await call(sandbox, token)).status, 200);
  assert.ok(performance.now() - between >= 149);
});

test('an answer slower than Apache waits for is a 504', async (t) => {
  const sandbox = await start(t, {
    settings: { gatewayTimeoutMs: 20 },
    faults: { 'slow-answer': 60_000 },
  });
  const answer = await call(sandbox, 'x');
  assert.equal(answer.status, 504);
  assert.match(logOf(sandbox), /\(70007\)The timeout specified has expired: \[client .*AH01075/);
});

test('reset-mid-body: the head and half of the body come, then a reset', async (t) => {
  const sandbox = await start(t);
  const token = await requestToken(sandbox, SCOPES);
  sandbox.setFaults({ 'reset-mid-body': true });
  const request = send({
    method: 'GET',
    origin: sandbox.url,
    target: '/apis/default/fhir/Patient',
    fields: [['Authorization', `Bearer ${token}`]],
  });
  await assert.rejects(request, { code: 'ECONNRESET' });
});

test('/__sandbox/faults shows, sets, clears, and says what it does not understand', async (t) => {
  const sandbox = await start(t);
  assert.deepEqual((await setFaults(sandbox, undefined, 'GET')).json, { ...noFaults() });
  const set = await setFaults(sandbox, { 'clock-skew': 30, 'client-disabled': true });
  assert.deepEqual(set.json, { ...noFaults(), 'clock-skew': 30, 'client-disabled': true });
  const unknown = await setFaults(sandbox, { 'token-lost': true, 'clock-skew': 5 });
  assert.equal(unknown.status, 400);
  assert.match(String(unknown.json['error']), /^unknown fault "token-lost": expected one of /);
  assert.equal(sandbox.state.faults['clock-skew'], 30, 'nothing of a bad request is taken');
  assert.equal((await setFaults(sandbox, [])).status, 400);
  assert.equal((await setFaults(sandbox, {}, 'PUT')).status, 405);
  assert.deepEqual((await setFaults(sandbox, undefined, 'DELETE')).json, { ...noFaults() });
});

const problemOf = (parsed: Partial<FaultSettings> | string): string =>
  typeof parsed === 'string' ? parsed : `no problem: ${JSON.stringify(parsed)}`;

const BAD: readonly [unknown, RegExp][] = [
  [undefined, /^expected a JSON object/],
  [{ 'clock-skew': 'much' }, /^fault "clock-skew": expected a number of seconds/],
  [
    { 'slow-token': -1 },
    /^fault "slow-token": expected a number of milliseconds from 0 to 600000$/,
  ],
  [{ 'slow-token': Infinity }, /^fault "slow-token"/],
  [{ 'client-disabled': 'issued' }, /^fault "client-disabled": expected true or false$/],
  [{ 'token-expired': 1 }, /^fault "token-expired": expected true or false, or "issued"/],
  [{ toString: true }, /^unknown fault "toString"/],
];

for (const [input, problem] of BAD) {
  test(`faults ${JSON.stringify(input)} are refused`, () => {
    assert.match(problemOf(parseFaults(input)), problem);
  });
}

const TEXTS: readonly [string, Partial<FaultSettings> | RegExp][] = [
  ['client-disabled', { 'client-disabled': true }],
  ['client-disabled=false', { 'client-disabled': false }],
  ['token-expired=issued', { 'token-expired': 'issued' }],
  ['slow-answer=250', { 'slow-answer': 250 }],
  ['clock-skew=-90', { 'clock-skew': -90 }],
  ['slow-answer', /expected a number of milliseconds/],
  ['slow-answer=', /expected a number of milliseconds/],
  ['slow-answer=soon', /expected a number of milliseconds/],
  ['', /^unknown fault ""/],
];

for (const [text, expected] of TEXTS) {
  test(`--fault "${text}"`, () => {
    const parsed = parseFaultText(text);
    if (expected instanceof RegExp) assert.match(problemOf(parsed), expected);
    else assert.deepEqual(parsed, expected);
  });
}
