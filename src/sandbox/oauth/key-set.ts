/** The client's JWK Set (RFC 7517 section 5), as OpenEMR reads it: carelessly, and anew at every token request. */
import { createPublicKey, type KeyObject } from 'node:crypto';

import type { SandboxClient } from '../exchange.ts';
import type { SandboxState } from '../versions/profile.ts';

const UNREACHABLE = { message: 'failed to retrieve jwk contents from jwk_uri' };

/**
 * A jwks_uri wins over an inline set and is fetched each time: no redirect followed, the status
 * ignored, no time limit but Apache's own.
 *
 * @returns the `keys` member whatever it is; `none` for a client without any; or OpenEMR's message; or PHP's word for what the text was instead of an object
 */
export async function readKeySet(
  client: SandboxClient,
  state: SandboxState,
): Promise<{ keys: unknown } | { message: string } | { type: string } | 'none'> {
  if (state.faults['jwks-unreachable']) return UNREACHABLE;
  if (client.jwksUri === '' && client.jwks === '') return 'none';
  const text = client.jwksUri === '' ? client.jwks : await fetchText(client.jwksUri);
  if (text === undefined) return UNREACHABLE;
  const value = parsePhpJson(text);
  // property_exists() takes a string too, as the name of a class; no class has that name.
  if (typeof value === 'string') return { message: 'Malformed jwks missing keys property' };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { type: phpType(value) };
  }
  if (!('keys' in value)) return { message: 'Malformed jwks missing keys property' };
  return { keys: value.keys };
}

/** The first key whose `kty` is `RSA`; `kid`, `alg`, `use` and every other member are not looked at. */
export function findSigningKey(keys: unknown): { publicKey: KeyObject } | { message: string } {
  const list: unknown[] = Array.isArray(keys) ? keys : [];
  for (const entry of list) {
    if (typeof entry !== 'object' || entry === null) continue;
    const key = entry as Record<string, unknown>;
    const { kty, n, e } = key;
    if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') continue;
    try {
      // OpenEMR accepts padded and standard base64; a JWK import does not.
      const jwk = { kty: 'RSA', n: toBase64Url(n), e: toBase64Url(e) };
      return { publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
    } catch {
      break;
    }
  }
  return { message: 'Malformed key object' };
}

async function fetchText(uri: string): Promise<string | undefined> {
  // Loaded when a client has a jwks_uri, which few do.
  // By its default: the bundle of the program gives a CommonJS package no other name.
  const { default: undici } = await import('undici');
  const { Agent, request } = undici;
  const dispatcher = new Agent({ connect: { timeout: 0 }, headersTimeout: 0, bodyTimeout: 0 });
  try {
    const answer = await request(uri, { dispatcher });
    // Not text(): that would drop a byte order mark, on which OpenEMR stumbles.
    return Buffer.from(await answer.body.arrayBuffer()).toString('utf8');
  } catch {
    return undefined;
  } finally {
    await dispatcher.destroy();
  }
}

/** PHP's json_decode: null for anything that is no JSON, a byte order mark included. */
function parsePhpJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function phpType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function toBase64Url(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
