/**
 * Parameter names as PHP reads them (`php_register_variable_ex`): percent-decoded, `+` a space,
 * leading spaces dropped, cut at NUL, and space, dot and an unclosed bracket turned into an
 * underscore. OpenEMR's `_REWRITE_COMMAND` parameter replaces the path in any of those spellings.
 */

/** The parameter by which OpenEMR's rewrite rule hands the path to its dispatcher. */
export const REWRITE_COMMAND = '_REWRITE_COMMAND';
/** The parameter by which many PHP frameworks let a form replace its method. */
export const METHOD_PARAMETER = '_method';

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const PERCENT = 0x25;
const UNDERSCORE = 0x5f;

/**
 * Whether a query or a form body has a parameter that PHP would call `name`, or an element of it.
 * Names that only begin with it count too, and so do names that are percent-encoded twice.
 *
 * @param text application/x-www-form-urlencoded; `;` is taken for a separator as well, as PHP can be told to
 * @param name begins with an underscore
 */
export function hasPhpParameter(text: string, name: string): boolean {
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : AMPERSAND;
    if (code !== AMPERSAND && code !== SEMICOLON) continue;
    if (mayBegin(text, start, name) && phpName(text.slice(start, i)).startsWith(name)) return true;
    start = i + 1;
  }
  return false;
}

/** Passes over nearly every FHIR parameter without reading its name. */
function mayBegin(text: string, start: number, name: string): boolean {
  const code = text.charCodeAt(start);
  if (code === UNDERSCORE) {
    const second = text.charCodeAt(start + 1);
    return second === name.charCodeAt(1) || second === PERCENT;
  }
  // `%`, and what PHP drops or replaces: `+`, space, `.`, `[`.
  return code === PERCENT || code === 0x2b || code === 0x20 || code === 0x2e || code === 0x5b;
}

function phpName(parameter: string): string {
  const equals = parameter.indexOf('=');
  const raw = equals < 0 ? parameter : parameter.slice(0, equals);
  return phpVariableName(percentDecode(percentDecode(raw.replaceAll('+', ' '))));
}

/** What PHP calls a parameter whose name is decoded: cut at NUL, without leading spaces, with underscores. */
export function phpVariableName(name: string): string {
  return (name.split('\0')[0] ?? '').replace(/^ +/, '').replaceAll(/[ .[]/g, '_');
}

function percentDecode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
