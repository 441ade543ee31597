import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRandom } from '../support/random.ts';
import { findGrowth, findMoreHandles, type Sample } from './soak/growth.ts';

const MEBIBYTE = 2 ** 20;
const REQUESTS_PER_ROUND = 3000;

/** Samples of 40 rounds: warm-up, noise, now and then a round far off, and bytes lost with each request. */
function buildSamples({ heap = 0, buffers = 0, kept = 2 * MEBIBYTE } = {}): Sample[] {
  const random = createRandom(3);
  return Array.from({ length: 40 }, (_, round) => ({
    atMs: round * 15_000,
    heapUsed:
      20 * MEBIBYTE +
      Math.min(round, 8) * MEBIBYTE +
      random.below(MEBIBYTE / 2) +
      (round % 13 === 12 ? 8 * MEBIBYTE : 0) +
      round * heap * REQUESTS_PER_ROUND,
    external: 4 * MEBIBYTE + round * buffers * REQUESTS_PER_ROUND,
    code: 6 * MEBIBYTE,
    rss: 0,
    handles: [],
    keptBytes: round === 20 ? kept : MEBIBYTE,
  }));
}

test('warm-up, noise and single rounds far off are no growth', () => {
  assert.deepEqual(findGrowth(buildSamples()), []);
});

test('twenty bytes lost with each request are growth, of the heap or of buffers', () => {
  for (const lost of [{ heap: 20 }, { buffers: 20 }]) {
    const [sentence, ...others] = findGrowth(buildSamples(lost));
    assert.match(sentence ?? '', /^heap and buffers have grown by \d+ bytes/);
    assert.deepEqual(others, []);
  }
});

test('kept exchanges that hold bodies are growth, if only for one round', () => {
  const kept = 8 * MEBIBYTE;
  assert.deepEqual(findGrowth(buildSamples({ kept })), [
    `the inspector’s exchanges held ${kept} bytes`,
  ]);
});

test('handles that stay are named; one more timer is not', () => {
  const start = ['TCPServerWrap', 'PipeWrap', 'Timeout'];
  assert.deepEqual(findMoreHandles(start, start), []);
  assert.deepEqual(findMoreHandles(start, [...start, 'Timeout']), []);
  assert.deepEqual(findMoreHandles(start, ['TCPSocketWrap', 'TCPSocketWrap', ...start]), [
    'TCPSocketWrap 0 → 2',
  ]);
  assert.deepEqual(findMoreHandles(start, [...start, 'Timeout', 'Timeout']), ['Timeout 1 → 3']);
});
