/** Fires once when a token is due for renewal. */

/** A timer that does not keep the program alive. */
export interface RenewalTimer {
  /** Fires after `delayMs`, less than 2^31; replaces what was armed before. */
  arm(delayMs: number): void;
  stop(): void;
}

/** @param onDue called when the time has come */
export function createRenewalTimer(onDue: () => void): RenewalTimer {
  let timer: NodeJS.Timeout | undefined;
  return {
    arm(delayMs) {
      clearTimeout(timer);
      timer = setTimeout(onDue, Math.max(0, delayMs));
      timer.unref();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
