/** The JWK Set that an authorization server verifies our assertions with. */
import type { JWK } from 'jose';

import type { SigningKey } from './signing-key.ts';

/**
 * Public halves as a JWK Set (RFC 7517 section 5), RSA keys first: OpenEMR uses the first RSA key of
 * the set and reads no `kid`. Of keys with one `kid`, the first stays: a `kid` is unique in a set
 * (SMART App Launch 2.2, client-confidential-asymmetric).
 */
export function buildJwks(keys: readonly SigningKey[]): { keys: JWK[] } {
  const byKid = new Map<string, JWK>();
  for (const { kid, publicJwk } of keys) {
    if (!byKid.has(kid)) byKid.set(kid, { ...publicJwk });
  }
  const all = [...byKid.values()];
  return {
    keys: [...all.filter(({ kty }) => kty === 'RSA'), ...all.filter(({ kty }) => kty !== 'RSA')],
  };
}
