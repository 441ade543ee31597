/** Takes credentials out of a text that a server sent, before an error keeps it. */

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

/** Text of a server fit for a message: one line of at most 200 characters, without credentials. */
export function cleanServerText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const line = redactSecrets(text).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}
