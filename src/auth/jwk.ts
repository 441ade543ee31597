/** Private keys written as JSON: a JWK or a JWK Set (RFC 7517). */
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { ProxyError } from '../base/errors.ts';
import { isObject } from '../base/is-object.ts';

/** A private key found in a JSON text, with the `kid` that the text gives it. */
export interface FoundKey {
  privateKey: KeyObject;
  kid?: string | undefined;
}

type Members = Record<string, unknown>;

/**
 * Reads a private JWK, or the best key of a JWK Set: the one with `keyId`, else the first RSA key,
 * else the first EC key, of those that can sign.
 *
 * @param label what messages call the key
 */
export function parseJwkText(text: string, keyId: string | undefined, label: string): FoundKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message may quote the text, which is a secret.
    throw new ProxyError(
      'key-not-json',
      `${label} is not valid JSON: expected a JWK or a JWK Set, whole and unchanged. It may have been cut off`,
    );
  }
  if (isObject(value)) {
    return Array.isArray(value['keys'])
      ? parseJwkSet(value['keys'], keyId, label)
      : parseJwk(value, label);
  }
  throw new ProxyError(
    'key-malformed',
    `${label} is JSON but not an object: expected a JWK ({"kty":…}) or a JWK Set ({"keys":[…]})`,
  );
}

function parseJwkSet(keys: unknown[], keyId: string | undefined, label: string): FoundKey {
  const usable: FoundKey[] = [];
  const refused: ProxyError[] = [];
  for (const [index, key] of keys.entries()) {
    const member = `keys[${index}] of the ${label}`;
    try {
      if (!isObject(key)) throw new ProxyError('key-malformed', `${member} is not an object`);
      usable.push(parseJwk(key, member));
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      refused.push(error);
    }
  }
  const chosen =
    usable.find(({ kid }) => keyId !== undefined && kid === keyId) ??
    usable.find(({ privateKey }) => privateKey.asymmetricKeyType === 'rsa') ??
    usable[0];
  if (chosen !== undefined) return chosen;
  const [only, another] = refused;
  if (only !== undefined && another === undefined) throw only;
  const reasons = refused.map(({ message }) => message).join('; ');
  throw new ProxyError(
    'key-none-usable',
    `${label} is a JWK Set without a private signing key: expected an RSA or EC P-384 key with its private members${reasons && `. ${reasons}`}`,
  );
}

function parseJwk(jwk: Members, label: string): FoundKey {
  assertSigningJwk(jwk, label);
  const kid = typeof jwk['kid'] === 'string' && jwk['kid'] !== '' ? jwk['kid'] : undefined;
  try {
    return { privateKey: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }), kid };
  } catch {
    const expected =
      jwk['kty'] === 'RSA' ? '"n", "e", "d", "p", "q", "dp", "dq" and "qi"' : '"x", "y" and "d"';
    throw new ProxyError(
      'key-malformed',
      `${label} is not a key: expected the members ${expected} as base64url (RFC 7518 section 6). Export the key again`,
    );
  }
}

/** What a JWK says about itself must allow signing RS384 or ES384. */
function assertSigningJwk(jwk: Members, label: string): void {
  const { kty, crv, alg, use, key_ops: operations } = jwk;
  const refuse = (code: string, message: string) => {
    throw new ProxyError(code, `${label} ${message}`);
  };
  if (kty === undefined) {
    refuse('key-malformed', 'has no "kty" member: expected a JWK or a JWK Set (RFC 7517)');
  }
  if (kty === 'oct') {
    refuse('key-symmetric', 'is a shared secret ("kty":"oct"): expected a private RSA or EC key');
  }
  if (kty !== 'RSA' && kty !== 'EC') {
    refuse('key-type-unsupported', `is of type "${show(kty)}": expected "RSA" or "EC"`);
  }
  if (kty === 'EC' && crv !== 'P-384') {
    refuse(
      'key-wrong-curve',
      `is an EC key on the curve "${show(crv)}": expected "P-384", the curve of ES384. Generate an RSA key: OpenEMR takes RS384 only`,
    );
  }
  if (jwk['d'] === undefined) {
    refuse(
      'key-public-only',
      'is a public key: expected the private one, with a "d" member. The file that was registered holds the public half; take the file made together with it',
    );
  }
  const expected = kty === 'RSA' ? 'RS384' : 'ES384';
  if (alg !== undefined && alg !== expected) {
    refuse(
      'key-wrong-algorithm',
      `is meant for the algorithm "${show(alg)}": expected "${expected}", or no "alg" member`,
    );
  }
  const signs = !Array.isArray(operations) || operations.includes('sign');
  if ((use !== undefined && use !== 'sig') || !signs) {
    refuse(
      'key-wrong-use',
      'is not meant for signing: expected "use" to be "sig" and "key_ops" to hold "sign", or neither member',
    );
  }
}

/** A short JSON value for a message. These members are names, never key material; still they are cut. */
function show(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 40);
}
