/**
 * The access token of one route: got when first needed, renewed before it dies, kept through
 * failures of the authorization server (SMART App Launch 2.2, Backend Services; RFC 6749 section 4.4).
 */
import type { TokenRequestEnd, TokenSource, TokenState } from '../base/contracts.ts';
import { createGrantReport } from './grant-report.ts';
import { createRenewalTimer } from './renewal-timer.ts';
import { createRenewal, type Renewal } from './renewal.ts';
import type { TokenAttemptOptions } from './token-attempt.ts';
import {
  ageMs,
  type HeldToken,
  isAlive,
  isRenewalDue,
  isUsable,
  type Moment,
  renewAfterMs,
} from './token-lifetime.ts';

/** Settings of {@link createTokenSource}. */
export interface TokenSourceOptions extends TokenAttemptOptions {
  /** A clock that never jumps, in milliseconds; default `performance.now`. */
  monotonicNow?: () => number;
}

/** Part of its life within which a token must have been used for the timer to renew it. */
const RECENT_USE_SHARE = 0.5;

/**
 * A source of access tokens.
 *
 * - A token is renewed in the background from 75 % of its life on, by the next use, or by a timer
 *   when it was used within half a life before. A route that nobody uses is not renewed.
 * - It is not used in its last 10 s (last tenth of a life shorter than 100 s): callers wait for the
 *   new one then. Only while renewing fails, the old one is used for as long as it lives.
 * - A token ages by the wall clock and by a monotonic one, whichever goes further, so that neither a
 *   sleep of the machine nor a clock set back keeps a dead token in use.
 * - At most one token request is under way; each has an assertion of its own.
 * - Failures are answered from memory until the back-off ends (see `back-off.ts`).
 * - A refused token (`replace`) is not handed out again, except while renewing fails: a 401 does not
 *   prove that the token is dead.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { client, clock, logger, monotonicNow = () => performance.now() } = options;
  const now = (): Moment => ({ wallMs: clock.now(), monotonicMs: monotonicNow() });
  const reportGrant = createGrantReport(logger);
  let refusedGeneration = 0;
  let lastUsedAtMs = Number.NEGATIVE_INFINITY;

  const timer = createRenewalTimer(() => {
    const lifeMs = renewal.newest()?.lifeMs ?? 0;
    if (clock.now() - lastUsedAtMs <= lifeMs * RECENT_USE_SHARE) renewal.requestInBackground();
  });
  const renewal = createRenewal(options, now, (held) => {
    reportGrant(held.token);
    timer.arm(renewAfterMs(held) - ageMs(held, now()));
  });

  const isRefused = ({ token }: HeldToken) => token.generation <= refusedGeneration;
  const inHand = (moment: Moment): HeldToken | undefined => {
    const fresh = renewal.fresh();
    if (fresh !== undefined && !isRefused(fresh) && isUsable(fresh, moment)) return fresh;
    const newest = renewal.newest();
    if (newest === undefined || renewal.failure() === undefined) return undefined;
    return isAlive(newest, moment) ? newest : undefined;
  };

  const current = () => {
    const moment = now();
    const held = inHand(moment);
    if (held === undefined) return undefined;
    lastUsedAtMs = moment.wallMs;
    if (isRenewalDue(held, moment) || isRefused(held)) renewal.requestInBackground();
    return held.token;
  };

  const request = async (reason: TokenRequestEnd['reason']) => {
    const { token } = await renewal.request(reason);
    lastUsedAtMs = clock.now();
    return token;
  };

  return {
    current,
    async get() {
      const token = current();
      if (token !== undefined) return token;
      try {
        return await request('first');
      } catch (error) {
        // The failure has just made an old token that still lives good enough.
        const old = current();
        if (old === undefined) throw error;
        return old;
      }
    },
    async replace(refused) {
      const newer = current();
      if (newer !== undefined && newer.generation > refused.generation) return newer;
      refusedGeneration = Math.max(refusedGeneration, refused.generation);
      return request('replacement');
    },
    isFailing: () => renewal.failure() !== undefined,
    reset: () => renewal.reset(),
    state: () => describeState(renewal, client.scopes, now()),
    async close() {
      timer.stop();
      await renewal.close();
    },
  };
}

function describeState(
  renewal: Renewal,
  requestedScopes: readonly string[],
  moment: Moment,
): TokenState {
  const newest = renewal.newest();
  const lastError = renewal.failure();
  const isLive = newest !== undefined && isAlive(newest, moment);
  const common = {
    state: isLive ? 'live' : lastError === undefined ? 'none' : 'failed',
    requestedScopes,
    requests: renewal.requests(),
    ...(lastError === undefined ? {} : { lastError }),
  } as const;
  if (newest === undefined) return { ...common, generation: 0, grantedScopes: [] };
  const { generation, obtainedAtMs, expiresAtMs, grantedScopes } = newest.token;
  return { ...common, generation, obtainedAtMs, expiresAtMs, grantedScopes };
}
