/** Takes credentials out of a text that a server sent, before an error keeps it. */

import { toPlainLine } from '../base/plain-text.ts';

/** Anything shaped like a JWT (RFC 7519), also one that was cut off: an encoded JSON object and what hangs on it. */
const JWT = /eyJ[\w-]{6,}(?:\.[\w-]*){0,4}/g;
const NAMES = 'access_token|refresh_token|id_token|client_assertion|assertion|client_secret';
/** JSON members whose value is a credential, with the value as text. */
const MEMBER = new RegExp(`("(?:${NAMES})"\\s*:\\s*")(?:[^"\\\\]|\\\\.)*`, 'g');
/** The same as form parameters. */
const PARAMETER = new RegExp(`\\b((?:${NAMES})=)[^&\\s"<]+`, 'g');

/** The text with tokens and assertions blanked. */
export function redactSecrets(text: string): string {
  return text
    .replaceAll(MEMBER, '$1[redacted]')
    .replaceAll(PARAMETER, '$1[redacted]')
    .replaceAll(JWT, '[redacted]');
}

const LONGEST_TEXT = 200;
const LONGEST_LOOKED_AT = 8192;

/** Text of a server fit for a message: one line of at most 200 characters, without credentials. */
export function cleanServerText(text: string): string {
  // Cut with room for what is blanked, so that no more than needed is looked at.
  return toPlainLine(redactSecrets(text.slice(0, LONGEST_LOOKED_AT)), LONGEST_TEXT);
}
