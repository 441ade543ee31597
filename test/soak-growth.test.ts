import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  findMoreHandles,
  HEAP_ALLOWANCE_BYTES,
  riseOver,
  type Sample,
  warmSamples,
} from '../scripts/soak/growth.ts';
import { createRandom } from './support/random.ts';

const MEBIBYTE = 2 ** 20;

/** Samples of 40 rounds: warm-up, noise, now and then a round far off, and a leak a round. */
function samplesWith(leakPerRound: number): Sample[] {
  const random = createRandom(3);
  return Array.from({ length: 40 }, (_, round) => ({
    atMs: round * 15_000,
    heapUsed:
      20 * MEBIBYTE +
      Math.min(round, 8) * MEBIBYTE +
      random.below(MEBIBYTE) +
      (round % 13 === 12 ? 8 * MEBIBYTE : 0) +
      round * leakPerRound,
    external: 0,
    rss: 0,
    handles: [],
  }));
}

const heapRise = (samples: readonly Sample[]): number =>
  riseOver(warmSamples(samples), ({ heapUsed }) => heapUsed);

test('warm-up, noise and single rounds far off are no growth', () => {
  assert.ok(Math.abs(heapRise(samplesWith(0))) < HEAP_ALLOWANCE_BYTES / 2);
});

test('a hundred bytes lost with each of 3000 requests a round are growth', () => {
  const rise = heapRise(samplesWith(300_000));
  assert.ok(rise > HEAP_ALLOWANCE_BYTES, `${rise}`);
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
