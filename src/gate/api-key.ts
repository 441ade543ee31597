/** The optional key of the listener, for machines that several people share. */
import { createHash, timingSafeEqual } from 'node:crypto';

import { ProxyError } from '../base/errors.ts';
import { JWKS_PATH, LIVEZ_PATH, READYZ_PATH } from '../base/own-paths.ts';
import type { ScannedFields } from './field-scan.ts';

/** Fields of the 401: a browser that opens the inspector asks its user. */
export const API_KEY_CHALLENGE: readonly string[] = [
  'WWW-Authenticate',
  'Bearer realm="fhir-auth-proxy", Basic realm="fhir-auth-proxy", charset="UTF-8"',
];

/** Paths that need no key: probes, and what the authorization server fetches. */
const OPEN_PATHS = new Set([LIVEZ_PATH, READYZ_PATH, JWKS_PATH]);

/** Gives the refusal (`api-key-refused`, 401), or undefined when the key is right or none is asked for. */
export type ApiKeyCheck = (fields: ScannedFields, path: string) => ProxyError | undefined;

/** @param apiKey `listen.apiKey`; undefined asks for none */
export function createApiKeyCheck(apiKey: string | undefined): ApiKeyCheck {
  if (apiKey === undefined) return () => undefined;
  const expected = digest(apiKey);
  return (fields, path) => {
    if (OPEN_PATHS.has(path)) return undefined;
    const offered = offeredKey(fields);
    if (offered === undefined) {
      return refuse(
        'the request has no API key: send it as "X-API-Key" or "Authorization: Bearer"',
      );
    }
    // Digests have one length, so the comparison takes the same time for every wrong key.
    return timingSafeEqual(digest(offered), expected)
      ? undefined
      : refuse('the API key is wrong: expected the value of "listen.apiKey"');
  };
}

function offeredKey(fields: ScannedFields): string | undefined {
  if (fields.apiKey !== '') return fields.apiKey;
  const space = fields.authorization.indexOf(' ');
  const scheme = fields.authorization.slice(0, Math.max(space, 0)).toLowerCase();
  const credentials = fields.authorization.slice(space + 1).trim();
  if (scheme === 'bearer') return credentials;
  if (scheme !== 'basic') return undefined;
  const userAndPassword = Buffer.from(credentials, 'base64').toString('utf8');
  return userAndPassword.slice(userAndPassword.indexOf(':') + 1);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(message: string): ProxyError {
  return new ProxyError('api-key-refused', message, { status: 401 });
}
