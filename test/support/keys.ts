/**
 * Key pairs for tests, generated once per process: generating RSA keys takes long.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import type { JWK } from 'jose';

/** One key pair in every spelling that a test may need. */
export interface TestKey {
  readonly alg: 'RS384' | 'ES384';
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Private JWK with `kid`, `alg` and `use`. */
  readonly privateJwk: JWK;
  /** Public JWK with `kid`, `alg` and `use`. */
  readonly publicJwk: JWK;
  /** `JSON.stringify(privateJwk)`: what a key file holds. */
  readonly text: string;
  /** PKCS#8 PEM. */
  readonly pem: string;
}

const made = new Map<string, TestKey>();

/** An RSA pair of 2048 bits for RS384; the same one for the same `kid` within a process. */
export function rs384Key(kid = 'test-rs384'): TestKey {
  return once(`RS384 ${kid}`, () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return describe('RS384', kid, privateKey, publicKey);
  });
}

/** An EC P-384 pair for ES384; the same one for the same `kid` within a process. */
export function es384Key(kid = 'test-es384'): TestKey {
  return once(`ES384 ${kid}`, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    return describe('ES384', kid, privateKey, publicKey);
  });
}

function once(name: string, make: () => TestKey): TestKey {
  const known = made.get(name);
  if (known !== undefined) return known;
  const key = make();
  made.set(name, key);
  return key;
}

function describe(
  alg: TestKey['alg'],
  kid: string,
  privateKey: KeyObject,
  publicKey: KeyObject,
): TestKey {
  const privateJwk = { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } as JWK;
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } as JWK;
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return {
    alg,
    kid,
    privateKey,
    publicKey,
    privateJwk,
    publicJwk,
    text: JSON.stringify(privateJwk),
    pem,
  };
}
