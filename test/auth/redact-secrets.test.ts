import assert from 'node:assert/strict';
import { test } from 'node:test';

import { redactSecrets } from '../../src/auth/redact-secrets.ts';

const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';

test('credentials are blanked, the rest stays', () => {
  const cases: [text: string, expected: string][] = [
    ['plain text', 'plain text'],
    [`a ${JWT} b`, 'a [redacted] b'],
    [`a ${JWT.slice(0, 25)}`, 'a [redacted]'],
    ['{"access_token" : "abc","scope":"x"}', '{"access_token" : "[redacted]","scope":"x"}'],
    [String.raw`{"refresh_token":"a\"b","x":1}`, '{"refresh_token":"[redacted]","x":1}'],
    ['{"id_token":"cut of', '{"id_token":"[redacted]'],
    ['access_token=abc&token_type=bearer', 'access_token=[redacted]&token_type=bearer'],
    ['client_assertion=a.b.c', 'client_assertion=[redacted]'],
    ['"error":"invalid_token"', '"error":"invalid_token"'],
    ['eyJ alone', 'eyJ alone'],
  ];
  for (const [text, expected] of cases) assert.equal(redactSecrets(text), expected);
});

test('a hostile megabyte takes no time', () => {
  for (const piece of [
    'eyJ',
    'eyJaaaaaa',
    '"access_token"',
    '"access_token":"',
    '\\',
    'access_token=',
  ]) {
    const text = piece.repeat(1_048_576 / piece.length);
    const started = performance.now();
    redactSecrets(text);
    assert.ok(performance.now() - started < 1000, piece);
  }
});
