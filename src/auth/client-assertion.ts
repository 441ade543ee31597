/** The signed statement by which the proxy proves to be its client. */
import { randomUUID } from 'node:crypto';

import { SignJWT } from 'jose/jwt/sign';

import type { Clock } from '../base/contracts.ts';
import type { SigningKey } from './signing-key.ts';

/** Longest life that SMART App Launch 2.2 allows an assertion, in seconds. */
const LONGEST_ASSERTION_SECONDS = 300;

/**
 * Life of an assertion when nothing else is said, in seconds. Long, so that a server whose clock is
 * minutes ahead still takes it; a minute less than the limit, so that one whose clock is behind does
 * not find it too long.
 */
export const DEFAULT_ASSERTION_SECONDS = 240;

/** What an assertion says. */
export interface ClientAssertionOptions {
  key: SigningKey;
  clientId: string;
  /** `aud`: the token endpoint's URL, byte for byte as the server knows it. */
  audience: string;
  clock: Clock;
  /** 1 to 300; default 240. */
  lifetimeSeconds?: number;
}

/**
 * Signs a client assertion (RFC 7523 section 3; SMART App Launch 2.2, client-confidential-asymmetric)
 * with a `jti` that was never used before: servers remember each one, OpenEMR for ever.
 */
export async function buildClientAssertion(options: ClientAssertionOptions): Promise<string> {
  const { key, clientId, audience, clock, lifetimeSeconds = DEFAULT_ASSERTION_SECONDS } = options;
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= LONGEST_ASSERTION_SECONDS)) {
    throw new RangeError(
      `lifetimeSeconds is ${lifetimeSeconds}: expected 1 to ${LONGEST_ASSERTION_SECONDS}`,
    );
  }
  const issuedAt = Math.floor(clock.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ typ: 'JWT', alg: key.alg, kid: key.kid })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.floor(lifetimeSeconds))
    .setJti(randomUUID())
    .sign(key.privateKey);
}
