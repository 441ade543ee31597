import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBackOff } from '../../src/auth/back-off.ts';
import { TokenError } from '../../src/base/errors.ts';
import { createManualClock } from '../support/clock.ts';

function failure(kind: 'configuration' | 'transient', retryAfterSeconds?: number): TokenError {
  return new TokenError('token-refused', 'refused', {
    kind,
    answer: { status: 400, body: '{}' },
    cause: new Error('underneath'),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Seconds of delay after each of these failures in a row, measured with the clock. */
function delays(failures: TokenError[]): number[] {
  const clock = createManualClock();
  const backOff = createBackOff(clock);
  return failures.map((error) => {
    assert.equal(backOff.blocked(), undefined);
    backOff.begin()(error);
    let seconds = 0;
    while (backOff.blocked() !== undefined) {
      clock.advance(1000);
      seconds += 1;
    }
    return seconds;
  });
}

test('delays double from 1 s to 30 s, from 5 s when somebody must mend something', () => {
  const transient = Array.from({ length: 8 }, () => failure('transient'));
  assert.deepEqual(delays(transient), [1, 2, 4, 8, 16, 30, 30, 30]);
  const configuration = Array.from({ length: 5 }, () => failure('configuration'));
  assert.deepEqual(delays(configuration), [5, 10, 20, 30, 30]);
});

test('Retry-After is honoured when it is longer, up to ten minutes', () => {
  assert.deepEqual(delays([failure('transient', 120)]), [120]);
  assert.deepEqual(delays([failure('transient', 0), failure('transient', 1)]), [1, 2]);
  assert.deepEqual(delays([failure('transient', 86_400)]), [600]);
});

test('while blocked, callers get the failure with the seconds that are left', () => {
  const clock = createManualClock();
  const backOff = createBackOff(clock);
  const first = backOff.begin()(failure('configuration'));
  assert.equal(first.retryAfterSeconds, 5);
  clock.advance(3100);
  const again = backOff.blocked();
  assert.equal(again?.retryAfterSeconds, 2);
  assert.equal(again.code, 'token-refused');
  assert.equal(again.message, 'refused');
  assert.equal(again.kind, 'configuration');
  assert.equal(again.status, 503);
  assert.deepEqual(again.answer, { status: 400, body: '{}' });
  assert.equal((again.cause as Error).message, 'underneath');
});

test('a success forgets everything', () => {
  const clock = createManualClock();
  const backOff = createBackOff(clock);
  for (const _ of [1, 2, 3]) backOff.begin()(failure('transient'));
  backOff.succeed();
  assert.equal(backOff.blocked(), undefined);
  assert.equal(backOff.last(), undefined);
  assert.equal(backOff.begin()(failure('transient')).retryAfterSeconds, 1);
});

test('a reset ends the delay at once; the failure stays known', () => {
  const clock = createManualClock();
  const backOff = createBackOff(clock);
  for (const _ of [1, 2, 3]) backOff.begin()(failure('transient'));
  backOff.reset();
  assert.equal(backOff.blocked(), undefined);
  assert.equal(backOff.last()?.code, 'token-refused');
  assert.equal(backOff.begin()(failure('transient')).retryAfterSeconds, 1);
});

test('a failure of an attempt that began before a reset causes no delay', () => {
  const backOff = createBackOff(createManualClock());
  const fail = backOff.begin();
  backOff.reset();
  fail(failure('configuration'));
  assert.equal(backOff.blocked(), undefined);
  assert.equal(backOff.last()?.code, 'token-refused');
});

test('a clock that was set back does not lengthen the wait', () => {
  const clock = createManualClock();
  const backOff = createBackOff(clock);
  backOff.begin()(failure('transient'));
  clock.advance(-3_600_000);
  assert.equal(backOff.blocked(), undefined);
});
