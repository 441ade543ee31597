import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

const KEY = 'correct-horse-battery';
const gate = buildGate({ listen: { apiKey: KEY } });
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const FIELDS: readonly (readonly [name: string, fields: readonly string[], verdict: string])[] = [
  ['none', [], 'api-key-refused'],
  ['X-API-Key', ['X-API-Key', KEY], 'route'],
  ['x-api-key', ['x-api-key', KEY], 'route'],
  ['a bearer credential', ['Authorization', `Bearer ${KEY}`], 'route'],
  ['a bearer credential in other case', ['authorization', `bearer  ${KEY}`], 'route'],
  ['a password of any user', ['Authorization', basic(`me:${KEY}`)], 'route'],
  ['a wrong key', ['X-API-Key', `${KEY}x`], 'api-key-refused'],
  ['a key in other case', ['X-API-Key', KEY.toUpperCase()], 'api-key-refused'],
  ['a part of the key', ['X-API-Key', KEY.slice(0, -1)], 'api-key-refused'],
  ['an empty key', ['X-API-Key', ''], 'api-key-refused'],
  ['a wrong password', ['Authorization', basic('me:wrong')], 'api-key-refused'],
  ['the key as the user', ['Authorization', basic(`${KEY}:`)], 'api-key-refused'],
  ['the key without a scheme', ['Authorization', KEY], 'api-key-refused'],
  ['the key with another scheme', ['Authorization', `Digest ${KEY}`], 'api-key-refused'],
  ['broken base64', ['Authorization', 'Basic %%%'], 'api-key-refused'],
  ['the right key after a wrong one', ['X-API-Key', 'wrong', 'X-API-Key', KEY], 'api-key-refused'],
  ['the key in the underscore spelling', ['X_API_Key', KEY], 'api-key-refused'],
];

for (const [name, fields, expected] of FIELDS) {
  test(`with apiKey set, ${name}: ${expected}`, () => {
    assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient', fields)), expected);
  });
}

test('the refusal is a 401 with a challenge and holds no key', () => {
  const admission = ask(gate, 'GET', '/fhir/Patient', ['X-API-Key', 'a-wrong-key']);
  const error = refusal(admission);
  assert.equal(error.status, 401);
  assert.doesNotMatch(error.message, /a-wrong-key|correct-horse/);
  assert.equal(admission.kind === 'refused' && admission.fields?.[0], 'WWW-Authenticate');
});

test('the inspector and the metrics need the key, probes and public keys do not', () => {
  for (const [path, expected] of [
    ['/', 'api-key-refused'],
    ['/_proxy/', 'api-key-refused'],
    ['/_proxy/metrics', 'api-key-refused'],
    ['/_proxy/livez', 'reserved'],
    ['/_proxy/readyz', 'reserved'],
    ['/_proxy/livez/x', 'api-key-refused'],
    ['/.well-known/jwks.json', 'reserved'],
    ['/nowhere', 'api-key-refused'],
  ] as const) {
    assert.equal(verdict(ask(gate, 'GET', path)), expected, path);
  }
});

test('a preflight carries no key and needs none', () => {
  const fields = ['Origin', 'http://localhost:3000', 'Access-Control-Request-Method', 'GET'];
  assert.equal(verdict(ask(gate, 'OPTIONS', '/fhir/Patient', fields)), 'preflight');
});

test('without apiKey nothing is asked for', () => {
  assert.equal(verdict(ask(buildGate(), 'GET', '/fhir/Patient')), 'route');
});
