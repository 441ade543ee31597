/** Grammars that what a server says is held to before anything else is done with it. */

/** Longest URL that is taken from a server, in characters. */
export const LONGEST_URL = 2048;

/** Whether a text is of `VSCHAR`s alone (RFC 6749 appendix A), as a client id is; not empty. */
export function isVisibleText(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}

/** Whether a text is one scope (`scope-token`, RFC 6749 section 3.3). */
export function isScopeToken(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/** Whether a text is a host name of letters, digits, hyphens and underscores (RFC 1123 section 2.1), at most 253 characters. */
export function isHostName(text: string): boolean {
  return (
    text.length <= 253 &&
    text
      .replace(/\.$/, '')
      .split('.')
      .every((label) => /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i.test(label))
  );
}

/**
 * An absolute http or https URL of at most {@link LONGEST_URL} characters, without user name and
 * password; undefined for any other text.
 */
export function parseWebUrl(text: string): URL | undefined {
  if (text.length > LONGEST_URL || !/^https?:\/\/[^/]/i.test(text)) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.username === '' && url.password === '' && url.hostname !== '' ? url : undefined;
}
