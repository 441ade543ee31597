/** The JWK Set that this proxy publishes at `/.well-known/jwks.json`, and when it was last asked for. */
import type { JWK } from 'jose';

import { buildJwks } from '../auth/jwks.ts';
import type { SigningKey } from '../auth/signing-key.ts';
import type { Clock } from '../base/contracts.ts';

/** The published keys of one proxy. */
export interface PublishedKeys {
  /** Puts the public halves of these keys in place of those before. */
  publish(keys: readonly SigningKey[]): void;
  /** The set as JSON, for somebody who asks for it now. */
  fetch(): string;
  /**
   * The RSA key that OpenEMR takes of the set, the first one, if the set was asked for since a time
   * (milliseconds since the epoch). OpenEMR fetches a `jwks_uri` within every token request: a set
   * that was asked for meanwhile is the one that counts, and one that was not says nothing.
   */
  firstRsaKeyFetchedSince(sinceMs: number): JWK | undefined;
}

/** Publishes nothing yet. */
export function createPublishedKeys(clock: Clock): PublishedKeys {
  let published = buildJwks([]);
  let text = JSON.stringify(published);
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  return {
    publish(keys) {
      published = buildJwks(keys);
      text = JSON.stringify(published);
    },
    fetch() {
      fetchedAtMs = clock.now();
      return text;
    },
    firstRsaKeyFetchedSince: (sinceMs) =>
      fetchedAtMs < sinceMs ? undefined : published.keys.find(({ kty }) => kty === 'RSA'),
  };
}
