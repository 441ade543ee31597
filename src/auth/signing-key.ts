/**
 * The private key that signs client assertions: read from a JWK, a JWK Set or a PEM text, checked,
 * and named by a `kid`. RSA keys sign RS384, EC P-384 keys ES384: the two algorithms that SMART App
 * Launch 2.2 (client-confidential-asymmetric) makes mandatory for clients.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

import type { JWK } from 'jose';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';

import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { parseJwkText } from './jwk.ts';
import { parsePem } from './pem.ts';

/** Algorithms of RFC 7518 section 3.1 that a client assertion may be signed with. */
export type SigningAlgorithm = 'RS384' | 'ES384';

/** A private key, ready to sign, with what may be told about it. */
export interface SigningKey {
  readonly alg: SigningAlgorithm;
  /** Value of the `kid` field of every assertion. */
  readonly kid: string;
  /** Opaque handle of node:crypto: printing it shows no key material. */
  readonly privateKey: KeyObject;
  /** Public half (RFC 7517): `kty`, `n` and `e` or `crv`, `x` and `y`, `kid`, `alg`, `use`; no private member. */
  readonly publicJwk: JWK;
  /** Length of an RSA modulus in bits, 2048 or more; undefined for EC. */
  readonly bits?: number;
}

/** Settings of {@link loadSigningKey}. */
export interface LoadSigningKeyOptions {
  /** `kid` to use. In a JWK Set the key that has it is taken, if there is one. */
  keyId?: string | undefined;
  /** What messages call the key, such as its path; default "signing key" alone. Never the key itself. */
  name?: string | undefined;
}

/** Least RSA modulus in bits (RFC 7518 section 3.3). */
export const LEAST_RSA_BITS = 2048;

/**
 * Reads a private signing key.
 *
 * @param text a private JWK, a JWK Set (its first usable RSA key, else its first usable EC key), or
 *   PEM: PKCS#8, PKCS#1 or SEC 1. Line ends written as `\n`, as in an .env file, are healed.
 * @throws ProxyError whose `code` starts with `key-`
 */
export async function loadSigningKey(
  text: string,
  options: LoadSigningKeyOptions = {},
): Promise<SigningKey> {
  const label =
    options.name === undefined ? 'signing key' : `signing key ${pathInMessage(options.name)}`;
  const { privateKey, kid } = parseKeyText(text, options.keyId, label);
  const alg = assertUsable(privateKey, label);
  const publicKey = createPublicKey(privateKey);
  assertConsistent(privateKey, publicKey, label);

  const members = publicKey.export({ format: 'jwk' }) as JWK;
  const chosen = options.keyId ?? kid ?? (await calculateJwkThumbprint(members, 'sha256'));
  const bits = privateKey.asymmetricKeyDetails?.modulusLength;
  return {
    alg,
    kid: chosen,
    privateKey,
    publicJwk: { ...members, kid: chosen, alg, use: 'sig' },
    ...(bits === undefined ? {} : { bits }),
  };
}

function parseKeyText(
  text: string,
  keyId: string | undefined,
  label: string,
): { privateKey: KeyObject; kid?: string | undefined } {
  const trimmed = trimKeyText(text);
  if (trimmed === '') {
    throw new ProxyError('key-empty', `${label} is empty: expected a private JWK or PEM key`);
  }
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    return parseJwkText(trimmed, keyId, label);
  }
  if (trimmed.includes('-----BEGIN')) return { privateKey: parsePem(trimmed, label) };
  throw new ProxyError(
    'key-unrecognized',
    `${label} is no private key, neither JSON nor PEM: expected a text that starts with "{" or "-----BEGIN". A DER file becomes PEM with: openssl pkey -inform DER -in KEY.der -out KEY.pem`,
  );
}

/** Whether a text holds private key material, be it a usable key or not. */
export function holdsPrivateKey(text: string): boolean {
  return /"d"\s*:|PRIVATE KEY-----/.test(text);
}

/** The key text without a byte order mark, outer white space and the quotes of an .env file. */
export function trimKeyText(text: string): string {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  const quoted = /^(["'])([\s\S]*)\1$/.exec(trimmed);
  return (quoted?.[2] ?? trimmed).trim();
}

function assertUsable(key: KeyObject, label: string): SigningAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits >= LEAST_RSA_BITS) return 'RS384';
    throw new ProxyError(
      'key-too-short',
      `${label} is an RSA key of ${bits} bits: expected at least ${LEAST_RSA_BITS} (RFC 7518 section 3.3). Generate a new key`,
    );
  }
  if (type === 'ec') {
    if (details?.namedCurve === 'secp384r1') return 'ES384';
    throw new ProxyError(
      'key-wrong-curve',
      `${label} is an EC key on the curve "${details?.namedCurve}": expected P-384 (secp384r1), the curve of ES384. Generate an RSA key: OpenEMR takes RS384 only`,
    );
  }
  throw new ProxyError(
    'key-type-unsupported',
    `${label} is a key of type "${type}": expected RSA for RS384 or EC P-384 for ES384`,
  );
}

/** Signs and verifies once: a JWK whose halves do not belong together would be refused by every server. */
function assertConsistent(privateKey: KeyObject, publicKey: KeyObject, label: string): void {
  const probe = Buffer.from('fhir-auth-proxy');
  let fits: boolean;
  try {
    fits = verify('sha384', probe, publicKey, sign('sha384', probe, privateKey));
  } catch {
    fits = false;
  }
  if (fits) return;
  throw new ProxyError(
    'key-inconsistent',
    `${label} is damaged: what its private half signs, its public half does not verify. Export the key again`,
  );
}
