import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseJsonWithComments } from '../../src/config/json.ts';

for (const [what, text] of [
  ['arrays', '['.repeat(200_000)],
  ['objects', '{"a":'.repeat(200_000)],
  ['65 levels, well closed', `${'['.repeat(65)}${']'.repeat(65)}`],
] as const) {
  test(`text that is nested too deep is refused before it costs anything: ${what}`, () => {
    assert.throws(
      () => parseJsonWithComments(text, 'proxy.config.json'),
      /nested more than 64 levels deep: no setting is/,
    );
  });
}

test('brackets in strings and comments are no levels', () => {
  const text = `{"a": "${'['.repeat(500)}" /* ${'{'.repeat(500)} */, "b": "{" }`;
  assert.deepEqual(parseJsonWithComments(text, 'x').value, { a: '['.repeat(500), b: '{' });
});
