/** Keeps a failing token endpoint from being asked again at once. */
import type { Clock } from '../base/contracts.ts';
import { type FailedAttempt, TokenError } from '../base/errors.ts';

/** First delay after a failure that may pass by itself, in milliseconds; doubled with each further one. */
const TRANSIENT_DELAY_MS = 1000;
/** First delay after a failure that somebody must mend, in milliseconds; doubled likewise. */
const CONFIGURATION_DELAY_MS = 5000;
/** No delay of ours is longer, in milliseconds. */
const LONGEST_DELAY_MS = 30_000;
/** A server's `Retry-After` is honoured up to ten minutes. */
const LONGEST_RETRY_AFTER_MS = 600_000;

/** Remembers failures in a row. */
export interface BackOff {
  /**
   * Notes the start of an attempt. The function returned notes its failure and gives it back with the
   * seconds to wait. A failure of an attempt that began before a reset causes no delay: it says
   * nothing about what is set now.
   */
  begin(): (error: TokenError) => TokenError;
  /** Notes a success: nothing is remembered any more. */
  succeed(): void;
  /** Allows an attempt at once and counts from the start; the last failure stays known. */
  reset(): void;
  /** The failure that callers get instead of an attempt, with the seconds left; undefined when an attempt is allowed. */
  blocked(): TokenError | undefined;
  /** The last failure, unless a success came after it. */
  last(): TokenError | undefined;
}

/** A back-off of 1, 2, 4 … 30 s (5, 10, 20, 30 s for configuration failures), or `Retry-After` if that is longer. */
export function createBackOff(clock: Clock): BackOff {
  let failure: TokenError | undefined;
  let failedAtMs = 0;
  let delayMs = 0;
  let inARow = 0;
  let resets = 0;

  return {
    begin() {
      const resetsAtStart = resets;
      const startedAtMs = clock.now();
      return (error) => {
        failedAtMs = clock.now();
        delayMs = resets === resetsAtStart ? delayAfter(error, inARow) : 0;
        inARow = resets === resetsAtStart ? inARow + 1 : 0;
        failure = withRetryAfter(error, Math.max(1, Math.ceil(delayMs / 1000)), {
          startedAtMs,
          endedAtMs: failedAtMs,
        });
        return failure;
      };
    },
    succeed() {
      failure = undefined;
      delayMs = 0;
      inARow = 0;
    },
    reset() {
      resets += 1;
      delayMs = 0;
      inARow = 0;
    },
    blocked() {
      if (failure === undefined) return undefined;
      const passedMs = clock.now() - failedAtMs;
      // A clock that was set back must not lengthen the wait.
      if (passedMs < 0 || passedMs >= delayMs) return undefined;
      return withRetryAfter(failure, Math.ceil((delayMs - passedMs) / 1000));
    },
    last: () => failure,
  };
}

function delayAfter({ kind, retryAfterSeconds = 0 }: TokenError, failuresBefore: number): number {
  const first = kind === 'configuration' ? CONFIGURATION_DELAY_MS : TRANSIENT_DELAY_MS;
  const ours = Math.min(LONGEST_DELAY_MS, first * 2 ** Math.min(failuresBefore, 10));
  return Math.max(ours, Math.min(LONGEST_RETRY_AFTER_MS, retryAfterSeconds * 1000));
}

/** The same failure, with the seconds that are left. */
function withRetryAfter(
  error: TokenError,
  retryAfterSeconds: number,
  attempt: FailedAttempt | undefined = error.attempt,
): TokenError {
  const { code, message, kind, answer, cause } = error;
  return new TokenError(code, message, {
    kind,
    retryAfterSeconds,
    ...(answer === undefined ? {} : { answer }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(cause === undefined ? {} : { cause }),
  });
}
