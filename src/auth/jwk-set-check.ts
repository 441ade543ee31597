/** Judges a JWK Set (RFC 7517 section 5) as OpenEMR reads it. */
import { createPublicKey } from 'node:crypto';

import { isObject } from '../base/is-object.ts';
import { type KeyFinding, finding } from './key-finding.ts';
import { LEAST_RSA_BITS, type SigningKey } from './signing-key.ts';

/** Members of a private or symmetric JWK (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

type Members = Record<string, unknown>;

/**
 * @param keys the `keys` member, whatever it is
 * @param ours the key that signs our assertions
 */
export function checkJwkSet(keys: unknown, ours?: SigningKey): KeyFinding[] {
  if (!Array.isArray(keys) || keys.length === 0) {
    return [
      finding(
        'jwks-empty',
        'error',
        `has a "keys" member that is ${Array.isArray(keys) ? 'empty' : 'no array'}: expected public keys`,
        'Print a JWK Set with "fhir-auth-proxy key public PRIVATE-KEY-FILE"',
      ),
    ];
  }
  return [...keys.flatMap(checkPrivacy), ...checkKids(keys), ...checkSigner(keys, ours)];
}

function checkPrivacy(key: unknown, index: number): KeyFinding[] {
  const found = PRIVATE_MEMBERS.filter((name) => isObject(key) && name in key);
  if (found.length === 0) return [];
  const names = found.map((name) => `"${name}"`).join(', ');
  return [
    finding(
      'jwks-private',
      'error',
      `holds a private key: keys[${index}] has the members ${names}`,
      'Publish the public half only, as "fhir-auth-proxy key public FILE" prints it. If this was published, make a new key: anyone can act as this client',
    ),
  ];
}

function checkKids(keys: readonly unknown[]): KeyFinding[] {
  const kids = keys.filter(isObject).map((key) => key['kid']);
  const missing = kids.findIndex((kid) => typeof kid !== 'string' || kid === '');
  const findings: KeyFinding[] = [];
  if (missing !== -1) {
    findings.push(
      finding(
        'jwks-kid-missing',
        'warning',
        `has no "kid" in keys[${missing}]: OpenEMR does without, SMART App Launch 2.2 asks for one`,
        'Print the set anew with "fhir-auth-proxy key public PRIVATE-KEY-FILE"',
      ),
    );
  }
  const named = kids.filter((kid) => typeof kid === 'string');
  if (new Set(named).size < named.length) {
    findings.push(
      finding(
        'jwks-kid-twice',
        'warning',
        'has a "kid" twice: each must be unique in a set',
        'Rename one',
      ),
    );
  }
  return findings;
}

/** OpenEMR verifies with the first key whose `kty` is `RSA`, and with no other. */
function checkSigner(keys: readonly unknown[], ours: SigningKey | undefined): KeyFinding[] {
  const index = keys.findIndex((key) => isObject(key) && key['kty'] === 'RSA');
  const key = keys[index];
  if (!isObject(key)) {
    const types = keys.map((each) => (isObject(each) ? show(each['kty']) : 'none'));
    return [
      finding(
        'jwks-no-rsa',
        'error',
        `has no RSA key (its types: ${types.join(', ')}): OpenEMR skips every other type`,
        'Make an RSA key with "fhir-auth-proxy key generate"',
      ),
    ];
  }
  const label = `the first RSA key, keys[${index}],`;
  const bits = modulusBits(key);
  if (bits === undefined) {
    return [
      finding(
        'jwks-key-malformed',
        'error',
        `${label} is no key: expected "n" and "e" as base64url`,
        'Print the set anew with "fhir-auth-proxy key public PRIVATE-KEY-FILE"',
      ),
    ];
  }
  return [
    ...checkStrength(bits, label),
    ...checkPurpose(key, label),
    ...checkOwner(keys, index, label, ours),
    finding(
      'jwks-signer',
      'note',
      `OpenEMR will verify with keys[${index}], RSA of ${bits} bits${typeof key['kid'] === 'string' ? `, kid "${key['kid'].slice(0, 80)}"` : ''}`,
    ),
  ];
}

function checkStrength(bits: number, label: string): KeyFinding[] {
  if (bits >= LEAST_RSA_BITS) return [];
  return [
    finding(
      'key-too-short',
      'error',
      `${label} has ${bits} bits: expected at least ${LEAST_RSA_BITS} (RFC 7518 section 3.3)`,
      'Make a new key with "fhir-auth-proxy key generate"',
    ),
  ];
}

function checkPurpose({ alg, use }: Members, label: string): KeyFinding[] {
  const wrong =
    alg !== undefined && alg !== 'RS384'
      ? `"alg" "${show(alg)}"`
      : use !== undefined && use !== 'sig'
        ? `"use" "${show(use)}"`
        : undefined;
  if (wrong === undefined) return [];
  return [
    finding(
      'jwks-wrong-purpose',
      'warning',
      `${label} has ${wrong}: OpenEMR does not look, other servers refuse it`,
      'Set "alg" to "RS384" and "use" to "sig"',
    ),
  ];
}

function checkOwner(
  keys: readonly unknown[],
  index: number,
  label: string,
  ours: SigningKey | undefined,
): KeyFinding[] {
  if (ours === undefined || ours.alg !== 'RS384') return [];
  const position = keys.findIndex((key) => isSameKey(key, ours));
  if (position === index) {
    return [finding('jwks-ours', 'note', `${label} is the public half of ours`)];
  }
  return [
    position === -1
      ? finding(
          'jwks-not-ours',
          'error',
          `does not hold the public half of our key, kid "${ours.kid}": what we sign would not verify`,
          'Publish what "fhir-auth-proxy key public" prints',
        )
      : finding(
          'jwks-wrong-first-key',
          'error',
          `${label} is not ours, which is keys[${position}]: OpenEMR tries the first RSA key only, whatever the "kid"`,
          `Move keys[${position}] to the front`,
        ),
  ];
}

function isSameKey(key: unknown, { publicJwk }: SigningKey): boolean {
  return isObject(key) && key['kty'] === 'RSA' && toBase64Url(key['n']) === publicJwk.n;
}

function modulusBits({ n, e }: Members): number | undefined {
  const [modulus, exponent] = [toBase64Url(n), toBase64Url(e)];
  if (modulus === undefined || exponent === undefined) return undefined;
  try {
    const jwk = { kty: 'RSA', n: modulus, e: exponent };
    return createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails?.modulusLength;
  } catch {
    return undefined;
  }
}

/** OpenEMR takes padded and standard base64 too. */
function toBase64Url(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** A short value for a message. */
function show(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none')).slice(0, 20);
}
