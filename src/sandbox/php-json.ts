/** JSON as PHP writes it. */

/** What differs from one use of `json_encode` to the next. */
export interface JsonOptions {
  /** Whether `/` becomes `\/`; default true, as without options. */
  slashes?: boolean;
  /** Whether `<`, `>`, `&`, `'` and `"` within strings become `\u` escapes (JSON_HEX_*); default false. */
  markup?: boolean;
}

/** JSON as `json_encode` writes it: everything beyond ASCII escaped. */
export function phpJson(
  value: unknown,
  { slashes = true, markup = false }: JsonOptions = {},
): string {
  const text = JSON.stringify(value).replace(/[\u0080-\uffff]/g, escapeCharacter);
  const hexed = markup ? text.replace(/\\.|[<>&']/g, hexMarkup) : text;
  return slashes ? hexed.replaceAll('/', '\\/') : hexed;
}

/** @param match a character, or an escape sequence: of these only the quote's is written differently */
function hexMarkup(match: string): string {
  if (match === '\\"') return '\\u0022';
  if (match.length > 1) return match;
  return `\\u${match.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
