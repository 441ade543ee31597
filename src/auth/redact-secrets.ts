/** Takes credentials out of a text that a server sent, before an error keeps it. */

/** Anything shaped like a signed JWT (RFC 7519): three base64url parts, the first an encoded JSON object. */
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
/** JSON members whose value is a credential, with the value as text. */
const MEMBER =
  /("(?:access_token|refresh_token|id_token|client_assertion|assertion|client_secret)"\s*:\s*")(?:[^"\\]|\\.)*/g;

/** The text with tokens and assertions blanked. */
export function redactSecrets(text: string): string {
  return text.replaceAll(MEMBER, '$1[redacted]').replaceAll(JWT, '[redacted]');
}
