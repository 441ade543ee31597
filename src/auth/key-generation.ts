/** Makes signing keys. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import type { JWK } from 'jose';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';

import { LEAST_RSA_BITS, type SigningAlgorithm } from './signing-key.ts';

/** Length of a new RSA modulus in bits: good until 2030 and beyond (NIST SP 800-57 part 1, table 2). */
const DEFAULT_RSA_BITS = 3072;
/** Shortest and longest modulus that is made; signing with more takes too long. */
export const RSA_BITS = { least: LEAST_RSA_BITS, most: 8192 } as const;

/** A new private key in both spellings that a key file may have. */
export interface GeneratedKey {
  alg: SigningAlgorithm;
  /** Thumbprint of the public half (RFC 7638, SHA-256). */
  kid: string;
  /** Private JWK with `kid`, `alg` and `use`. */
  jwk: JWK;
  /** PKCS#8 PEM. */
  pem: string;
  /** Modulus length in bits; undefined for EC. */
  bits?: number;
}

const generate = promisify(generateKeyPair);

/**
 * Generates a private signing key: RSA for RS384, EC P-384 for ES384 (RFC 7518 section 3.1).
 *
 * @param bits modulus length of an RSA key, 2048 to 8192; default 3072
 */
export async function generateSigningKey(
  alg: SigningAlgorithm,
  bits: number = DEFAULT_RSA_BITS,
): Promise<GeneratedKey> {
  const privateKey = await generatePrivateKey(alg, bits);
  const members = privateKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(members, 'sha256');
  return {
    alg,
    kid,
    jwk: { ...members, kid, alg, use: 'sig' },
    pem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ...(alg === 'RS384' ? { bits } : {}),
  };
}

async function generatePrivateKey(alg: SigningAlgorithm, bits: number): Promise<KeyObject> {
  if (alg === 'ES384') return (await generate('ec', { namedCurve: 'P-384' })).privateKey;
  if (!Number.isInteger(bits) || bits < RSA_BITS.least || bits > RSA_BITS.most) {
    throw new RangeError(`bits is ${bits}: expected ${RSA_BITS.least} to ${RSA_BITS.most}`);
  }
  return (await generate('rsa', { modulusLength: bits })).privateKey;
}
