/**
 * What may not reach a terminal, a page or a log as it is: C0 and C1 controls (escape sequences among
 * them), line and paragraph separators, and the controls that turn the direction of text around
 * (Unicode Technical Report 36, section 2.2).
 */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;

/**
 * Text from elsewhere as one line that shows what it says: unsafe characters become one space.
 *
 * @param longest most characters; what is longer is cut before anything is looked at, and ends in `…`
 */
export function toPlainLine(text: string, longest = 200): string {
  const cut = text.length > longest;
  const line = (cut ? text.slice(0, longest) : text).replaceAll(UNSAFE, ' ');
  return cut ? `${line}…` : line;
}

/** Text from elsewhere that may have several lines: as {@link toPlainLine}, uncut, and line feeds stay. */
export function toPlainText(text: string): string {
  return text.replaceAll(UNSAFE, (found) => found.replaceAll(/[^\n]+/g, ' '));
}

/** JSON text with unsafe characters as escapes (RFC 8259, section 7); line feeds between its tokens stay. */
export function toPlainJson(json: string): string {
  return json.replaceAll(UNSAFE, (found) =>
    Array.from(found, (each) =>
      each === '\n' ? each : `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
