/**
 * Tells what OpenEMR would stumble on in a key or a JWK Set: it takes the first RSA key of the set,
 * reads no `kid`, and says nothing about the rest but "Client authentication failed".
 */
import type { JWK } from 'jose';

import { ProxyError } from '../base/errors.ts';
import { checkJwkSet } from './jwk-set-check.ts';
import { type KeyFinding, finding } from './key-finding.ts';
import { holdsPrivateKey, loadSigningKey, type SigningKey, trimKeyText } from './signing-key.ts';

/** What was found in a text that should be a key or a JWK Set. */
export interface KeyReport {
  /** `unknown`: neither. */
  kind: 'private-key' | 'public-key' | 'jwk-set' | 'unknown';
  /** Whether the text holds a private key, whatever its kind: then nobody else may read it. */
  secret: boolean;
  findings: KeyFinding[];
}

/**
 * Judges the text of a key file or of a JWK Set. Never throws because of the text.
 *
 * @param ours the key that signs our assertions; a JWK Set is compared with it
 */
export async function checkKeyText(text: string, ours?: SigningKey): Promise<KeyReport> {
  const trimmed = trimKeyText(text);
  if (trimmed.includes('-----BEGIN')) return checkPem(trimmed);
  // Not the trimmed text: outer quotes would be gone from it, and they are worth a word.
  const value = parseJson(text.replace(/^\uFEFF/, ''));
  if (value === undefined) return checkPrivate(trimmed);
  const report = await checkJson(value, ours, trimmed);
  const { kind, findings } = report;
  if (text.startsWith('\uFEFF') && kind === 'jwk-set') {
    findings.push(
      finding(
        'jwks-byte-order-mark',
        'error',
        'begins with a byte order mark: PHP cannot read JSON behind one',
        'Save the file as UTF-8 without BOM',
      ),
    );
  }
  return report;
}

async function checkJson(
  value: unknown,
  ours: SigningKey | undefined,
  text: string,
): Promise<KeyReport> {
  if (typeof value === 'string') {
    return unwrapped(
      'jwks-in-string',
      'is a JSON string: the JSON in it was encoded twice',
      'Write it as an object, without the outer quotes and backslashes',
    );
  }
  if (Array.isArray(value)) {
    return unwrapped('jwks-array', 'is an array of keys', WRAP);
  }
  if (typeof value !== 'object' || value === null) return checkPrivate(text);
  if ('keys' in value) {
    const findings = checkJwkSet(value.keys, ours);
    const secret = findings.some(({ code }) => code === 'jwks-private');
    return { kind: 'jwk-set', secret, findings };
  }
  const jwk = value as JWK;
  if (jwk.d !== undefined || jwk.kty === 'oct') return checkPrivate(text);
  if (jwk.kty === undefined) {
    return unwrapped('jwks-missing-keys', 'is JSON without "keys" and without "kty"', WRAP);
  }
  const findings = [
    finding('jwk-bare', 'error', 'is a bare JWK: expected a JWK Set, {"keys": [ … ]}', WRAP),
    // An EC key is no better inside a set.
    ...checkJwkSet([jwk], ours),
  ];
  return { kind: 'public-key', secret: false, findings };
}

const WRAP = 'Put it into {"keys": [ … ]}; "fhir-auth-proxy key public FILE" prints it so';

function unwrapped(code: string, message: string, fix: string): KeyReport {
  return {
    kind: 'unknown',
    secret: false,
    findings: [
      finding(code, 'error', `${message}: expected a JWK Set, an object with "keys"`, fix),
    ],
  };
}

async function checkPem(text: string): Promise<KeyReport> {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return checkPrivate(text);
  const findings = [
    finding(
      'pem-public',
      'error',
      'is a public key or certificate in PEM form: OpenEMR takes public keys as a JWK Set only',
      'Print the JWK Set with "fhir-auth-proxy key public PRIVATE-KEY-FILE"',
    ),
  ];
  return { kind: 'public-key', secret: false, findings };
}

async function checkPrivate(text: string): Promise<KeyReport> {
  const secret = holdsPrivateKey(text);
  try {
    const { alg, bits, kid } = await loadSigningKey(text);
    const what = alg === 'RS384' ? `RSA of ${bits} bits` : 'EC P-384';
    const findings = [
      finding('private-key', 'note', `is a private key for ${alg}, ${what}, kid "${kid}"`),
    ];
    if (alg === 'ES384') {
      findings.push(
        finding(
          'key-not-rsa',
          'warning',
          'is an EC key: OpenEMR takes RS384 only',
          'Make an RSA key with "fhir-auth-proxy key generate" if the server is OpenEMR',
        ),
      );
    }
    return { kind: 'private-key', secret: true, findings };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const message = error.message.replace(/^signing key /, '');
    const findings = [finding(error.code, 'error', message)];
    return { kind: secret ? 'private-key' : 'unknown', secret, findings };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
