/**
 * How OpenEMR reads a request target: Apache decodes the path and resolves it, its rewrite rule
 * `RewriteRule (.*) dispatch.php?_REWRITE_COMMAND=$1 [QSA]` puts it into the query, PHP parses that.
 * Written to be lenient: where versions differ, the reading that helps an attacker.
 */

/** Percent-decoding of every valid escape; what is broken stays. One character an octet. */
export function percentDecode(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Backslashes as slashes, path parameters and what follows NUL dropped, slashes merged, dot segments resolved. */
export function resolvePath(path: string): string {
  const plain = path.split('\0')[0]!.replaceAll('\\', '/');
  const resolved: string[] = [];
  for (const segment of plain.split('/')) {
    const name = segment.split(';')[0]!.trim();
    if (name === '..') resolved.pop();
    else if (name !== '.' && name !== '') resolved.push(segment);
  }
  return `/${resolved.join('/')}`;
}

/** Parameters as PHP registers them (`php_register_variable_ex`); a later one replaces an earlier one. */
export function parsePhpParameters(text: string): Map<string, string | string[]> {
  const parameters = new Map<string, string | string[]>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const rawName = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : urlDecode(part.slice(equals + 1));
    const name = urlDecode(rawName).split('\0')[0]!.replace(/^ +/, '');
    const bracket = name.indexOf('[');
    if (bracket === 0 || name === '') continue;
    if (bracket > 0 && name.includes(']', bracket)) {
      parameters.set(mangle(name.slice(0, bracket)), [value]);
    } else {
      parameters.set(mangle(name), value);
    }
  }
  return parameters;
}

function urlDecode(text: string): string {
  return percentDecode(text.replaceAll('+', ' '));
}

function mangle(name: string): string {
  return name.replaceAll(/[ .[]/g, '_');
}
