/** When a token is used, when it is renewed and when it is dead. Pure: the times are handed in. */
import type { AccessToken } from '../base/contracts.ts';

/** Share of its life after which a token is renewed in the background. */
const RENEW_AT_SHARE = 0.75;
/**
 * A token is not used in its last 10 s: it must not die on its way to the server, and OpenEMR cuts
 * the expiry to whole seconds, so that a token dies up to a second early.
 */
const LONGEST_MARGIN_MS = 10_000;
/** Of a life shorter than 100 s, the last tenth is not used. */
const MARGIN_SHARE = 0.1;
/** A token is renewed once a day however long it is said to live. */
const LONGEST_LIFE_MS = 86_400_000;

/** A token in hand, with the two clocks by which it ages. */
export interface HeldToken {
  readonly token: AccessToken;
  /** Life as announced, at most {@link LONGEST_LIFE_MS}; in milliseconds from the sending of the token request. */
  readonly lifeMs: number;
  /** Monotonic time at the sending of the token request, in milliseconds. */
  readonly sentAtMonotonicMs: number;
}

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  /** Since the epoch: goes on while the machine sleeps, jumps when somebody sets it. */
  wallMs: number;
  /** Since an arbitrary start: never jumps, may stand still while the machine sleeps. */
  monotonicMs: number;
}

/** What a new token is made of. */
export interface NewToken {
  accessToken: string;
  generation: number;
  /** When its token request was sent. */
  sent: Moment;
  expiresInSeconds: number;
  requestedScopes: readonly string[];
  grantedScopes: readonly string[];
}

/** Puts a new token in hand. Its value is not enumerable, so that printing it shows no secret. */
export function holdToken(options: NewToken): HeldToken {
  const { accessToken, generation, sent, expiresInSeconds, requestedScopes, grantedScopes } =
    options;
  const lifeMs = Math.min(expiresInSeconds * 1000, LONGEST_LIFE_MS);
  const token = {
    generation,
    obtainedAtMs: sent.wallMs,
    expiresAtMs: sent.wallMs + lifeMs,
    requestedScopes: Object.freeze([...requestedScopes]),
    grantedScopes: Object.freeze([...grantedScopes]),
  };
  Object.defineProperty(token, 'value', { value: accessToken, enumerable: false });
  return {
    token: Object.freeze(token) as AccessToken,
    lifeMs,
    sentAtMonotonicMs: sent.monotonicMs,
  };
}

/** Milliseconds that a token is used for, counted from the sending of its token request. */
export function usableForMs({ lifeMs }: HeldToken): number {
  return lifeMs - Math.min(LONGEST_MARGIN_MS, lifeMs * MARGIN_SHARE);
}

/** Milliseconds after which a token is due for renewal, counted likewise. */
export function renewAfterMs({ lifeMs }: HeldToken): number {
  return lifeMs * RENEW_AT_SHARE;
}

/**
 * Age by the clock that has gone further: after a sleep that is the wall clock, after a wall clock
 * set back it is the monotonic one.
 */
export function ageMs({ token, sentAtMonotonicMs }: HeldToken, now: Moment): number {
  return Math.max(now.wallMs - token.obtainedAtMs, now.monotonicMs - sentAtMonotonicMs);
}

/** Whether the token may be used without a second thought: not in its last seconds. */
export function isUsable(held: HeldToken, now: Moment): boolean {
  return ageMs(held, now) < usableForMs(held);
}

/** Whether the token still lives by what its server announced. */
export function isAlive(held: HeldToken, now: Moment): boolean {
  return ageMs(held, now) < held.lifeMs;
}

/** Whether it is time to renew; also when the wall clock was set back, since nothing is sure then. */
export function isRenewalDue(held: HeldToken, now: Moment): boolean {
  return ageMs(held, now) >= renewAfterMs(held) || now.wallMs < held.token.obtainedAtMs;
}
