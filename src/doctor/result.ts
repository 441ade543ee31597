/** What a check found. */
import type { Hint } from '../base/contracts.ts';

/** `ok`: as it should be; `warn`: works, but; `fail`: does not work; `skip`: could not be looked at. */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip';

/** One finding of one check. Nothing in it is secret, and no id of a patient or client: people paste it into issues. */
export interface CheckResult {
  /** Stable name of the check, lower-case with hyphens, such as `token-endpoint`. */
  check: string;
  /** Path of the route that was checked; undefined for what concerns the whole proxy. */
  route?: string;
  status: CheckStatus;
  /** What was found; lower-case, no full stop. */
  message: string;
  /** What to do, as an imperative. */
  fix?: string;
  /** The explanation of a failure, when one is known. */
  hint?: Hint;
}

/** A finding, before it is known which check made it. */
export type Finding = Omit<CheckResult, 'check' | 'route'>;

/** As it should be. */
export function ok(message: string): Finding {
  return { status: 'ok', message };
}

/** It works, but something about it is worth a word. */
export function warn(message: string, fix?: string): Finding {
  return { status: 'warn', message, ...(fix === undefined ? {} : { fix }) };
}

/** It does not work; the fix of the hint stands in when no better one is given. */
export function fail(message: string, fix?: string, hint?: Hint): Finding {
  const remedy = fix ?? hint?.fix;
  return {
    status: 'fail',
    message,
    ...(remedy === undefined ? {} : { fix: remedy }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** It could not be looked at. */
export function skip(message: string): Finding {
  return { status: 'skip', message };
}
