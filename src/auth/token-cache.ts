/** The one token of a source in an `lru-cache`, which gives expiry and single-flight fetching. */
import { LRUCache } from 'lru-cache';

import type { Clock } from '../base/contracts.ts';
import { type HeldToken, usableForMs } from './token-lifetime.ts';

/** A place for one token. */
export interface TokenCache {
  /** The token in it, as long as it is usable by the wall clock; also while a new one is being fetched. */
  fresh(): HeldToken | undefined;
  /** Fetches a new token; joins the fetch that is under way, if there is one. A failure leaves the token in place. */
  renew(): Promise<HeldToken>;
}

/** Settings of {@link createTokenCache}. */
export interface TokenCacheOptions {
  /** JSON of everything that selects the token, so that no two tokens can be taken for each other. */
  key: string;
  clock: Clock;
  /** Gets a token; never called while a call is under way. */
  obtain: () => Promise<HeldToken>;
}

/** An empty cache. */
export function createTokenCache({ key, clock, obtain }: TokenCacheOptions): TokenCache {
  const cache = new LRUCache<string, HeldToken>({
    max: 1,
    perf: { now: () => clock.now() },
    // The injected clock is asked each time: a cached reading would miss a jump.
    ttlResolution: 0,
    noDeleteOnFetchRejection: true,
    async fetchMethod(_key, _old, { options }) {
      const held = await obtain();
      const usableUntilMs = held.token.obtainedAtMs + usableForMs(held);
      // A ttl of 0 would mean "for ever".
      options.ttl = Math.max(1, Math.ceil(usableUntilMs - clock.now()));
      return held;
    },
  });
  return {
    fresh: () => cache.get(key),
    renew: () => cache.forceFetch(key, { forceRefresh: true }),
  };
}
