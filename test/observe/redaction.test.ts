import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';

import { ProxyError, TokenError } from '../../src/base/errors.ts';
import {
  describeError,
  redactCredentials,
  redactFields,
  redactText,
} from '../../src/observe/redaction.ts';

const JWT = 'eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJjbGllbnQifQ.c2lnbmF0dXJl';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const PEM = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const JWK = privateKey.export({ format: 'jwk' });
const quiet = { stacks: false };

suite('redactText', () => {
  const cases: readonly (readonly [title: string, text: string, expected: string])[] = [
    ['a JWT', `token ${JWT} refused`, 'token [token] refused'],
    ['a cut JWT', `token ${JWT.slice(0, 30)}… refused`, 'token [token]… refused'],
    ['a JWT next to a sign', `t=${JWT};`, 't=[token];'],
    ['an opaque bearer token', 'Bearer abcdef123456', 'Bearer [redacted]'],
    ['basic credentials', 'sent Basic dXNlcjpwYXNzdzE= here', 'sent Basic [redacted] here'],
    [
      'an Authorization line',
      'Authorization: Foo bar\r\nHost: x',
      'Authorization: [redacted]\r\nHost: x',
    ],
    [
      'a field in JSON',
      '{"authorization":"Foo bar","a":1}',
      '{"authorization":"[redacted]","a":1}',
    ],
    ['the name of a lab test', 'Basic metabolic panel', 'Basic metabolic panel'],
    ['a Cookie line', 'cookie: OpenEMR=abc; x=y', 'cookie: [redacted]'],
    ['a Set-Cookie line', 'Set-Cookie: OpenEMR=abc', 'Set-Cookie: [redacted]'],
    ['a PEM block', `key ${PEM} end`, 'key [PEM]\n end'],
    ['a cut PEM block', PEM.slice(0, 60), '[PEM]'],
    [
      'a token request',
      `grant_type=client_credentials&client_assertion=abc.def&scope=x`,
      'grant_type=client_credentials&client_assertion=[redacted]&scope=x',
    ],
    [
      'a token answer',
      '{"access_token":"opaque-1","expires_in":300}',
      '{"access_token":"[redacted]","expires_in":300}',
    ],
    ['a JWK', '{"kty":"RSA","n":"abc","d":"secret"}', '{"kty":"RSA","n":"abc","d":"[redacted]"}'],
    [
      'the query of a URL',
      'GET https://emr.example/fhir/Patient?name=Ada&x=1 failed',
      'GET https://emr.example/fhir/Patient?… failed',
    ],
    ['the user of a URL', 'http://user:pw@emr.example/', 'http://[redacted]@emr.example/'],
    ['plain text', 'connection refused', 'connection refused'],
    ['a word about tokens', 'the token expired: ask again', 'the token expired: ask again'],
    [
      'a scheme name',
      'sends it as Bearer token (RFC 6750)',
      'sends it as Bearer [redacted] (RFC 6750)',
    ],
  ];
  for (const [title, text, expected] of cases) {
    test(title, () => assert.equal(redactText(text), expected));
  }

  test('redacting twice changes nothing more', () => {
    for (const [, text] of cases) {
      const once = redactText(text);
      assert.equal(redactText(once), once);
    }
  });

  test('takes linear time on hostile text', () => {
    const startedAt = performance.now();
    for (const text of ['eyJ'.repeat(70_000), 'Bearer '.repeat(30_000), 'http://'.repeat(30_000)]) {
      redactText(text);
      redactCredentials(text);
    }
    assert.ok(performance.now() - startedAt < 2000);
  });
});

suite('redactFields', () => {
  test('hides the value of a field with a secret name, at any depth', () => {
    assert.deepEqual(
      redactFields(
        { a: { headers: { Authorization: 'x', 'Set-Cookie': ['y'], accept: '*/*' } } },
        quiet,
      ),
      {
        a: { headers: { Authorization: '[redacted]', 'Set-Cookie': '[redacted]', accept: '*/*' } },
      },
    );
  });

  test('hides private members of a JWK and keeps its public ones', () => {
    const shown = redactFields({ jwk: JWK, d: 3 }, quiet);
    assert.deepEqual(shown, { jwk: { ...JWK, d: '[redacted]' }, d: 3 });
  });

  test('keeps counts and flags that are named like secrets', () => {
    assert.deepEqual(redactFields({ assertion: true, cookies: 2 }, quiet), {
      assertion: true,
      cookies: 2,
    });
  });

  test('cleans strings in lists, sets and maps', () => {
    assert.deepEqual(
      redactFields({ list: [JWT, 1], set: new Set([JWT]), map: new Map([['cookie', 'x']]) }, quiet),
      { list: ['[token]', 1], set: ['[token]'], map: { cookie: '[redacted]' } },
    );
  });

  test('is bounded: cycles, bytes, keys, functions and bigints', () => {
    const cyclic: Record<string, unknown> = { bytes: Buffer.from('abc'), big: 5n, f: () => 1 };
    cyclic['self'] = cyclic;
    const text = JSON.stringify(redactFields({ cyclic, privateKey }, quiet));
    assert.match(text, /"bytes":"\[3 bytes\]"/);
    assert.match(text, /"big":"5"/);
    assert.match(text, /"privateKey":"\[redacted\]"/);
    assert.ok(text.length < 1000);
  });

  test('cleans URLs and dates', () => {
    assert.deepEqual(
      redactFields({ url: new URL('http://h/p?name=Ada'), at: new Date(0) }, quiet),
      { url: 'http://h/p?…', at: '1970-01-01T00:00:00.000Z' },
    );
  });
});

suite('describeError', () => {
  const bottom = Object.assign(new Error('socket'), { code: 'ECONNRESET' });
  const error = new TokenError('token-refused', `refused ${JWT}`, {
    kind: 'configuration',
    answer: { status: 401, body: JWT },
    cause: new TypeError('fetch failed', { cause: bottom }),
  });

  test('shows code, message and the codes of the causes', () => {
    assert.deepEqual(describeError(error, quiet), {
      code: 'token-refused',
      message: 'refused [token]',
      causes: ['TypeError', 'ECONNRESET'],
    });
  });

  test('shows the stack on demand only, cleaned', () => {
    const { stack } = describeError(error, { stacks: true });
    assert.match(String(stack), /redaction\.test\.ts/);
    assert.doesNotMatch(String(stack), /eyJ/);
  });

  test('an error given as the fields themselves is described under "error"', () => {
    assert.deepEqual(redactFields(new ProxyError('bad', 'it is bad'), quiet), {
      error: { code: 'bad', message: 'it is bad' },
    });
  });
});
