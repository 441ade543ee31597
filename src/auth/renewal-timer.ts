/** Fires once when a token is due for renewal. */

/** A timer that does not keep the program alive. */
export interface RenewalTimer {
  /** Fires after `delayMs`; replaces what was armed before. */
  arm(delayMs: number): void;
  stop(): void;
}

/** Longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @param onDue called when the time has come */
export function createRenewalTimer(onDue: () => void): RenewalTimer {
  let timer: NodeJS.Timeout | undefined;
  return {
    arm(delayMs) {
      clearTimeout(timer);
      timer = setTimeout(onDue, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
      timer.unref();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
