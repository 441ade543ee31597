import type { Clock } from '../../src/base/contracts.ts';

/** A wall clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves it on, or back with a negative number. */
  advance(ms: number): void;
}

/** Starts at the present second, so that servers with a real clock agree with it. */
export function createManualClock(startMs = Date.now()): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms;
    },
  };
}
