/** Forms and queries as PHP reads them into `$_GET` and `$_POST`. */

/** Parameters by the name that PHP gives them; the last of several wins. */
export type PhpParameters = Map<string, string>;

/** Reads `application/x-www-form-urlencoded` text: a query, or a body. */
export function parsePhpQuery(text: string): PhpParameters {
  const parameters: PhpParameters = new Map();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = phpName(decode(equals === -1 ? pair : pair.slice(0, equals)));
    if (name !== '') parameters.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)));
  }
  return parameters;
}

/**
 * `$_POST` of a request: undefined when the content type is neither of the two that PHP reads.
 *
 * @param contentType value of the Content-Type field
 */
export async function parsePhpForm(
  contentType: string | undefined,
  body: Buffer,
): Promise<PhpParameters | undefined> {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return parsePhpQuery(body.toString('latin1'));
  if (type !== 'multipart/form-data') return undefined;
  const parameters: PhpParameters = new Map();
  try {
    const form = await new Response(new Uint8Array(body), {
      headers: { 'Content-Type': contentType ?? '' },
    }).formData();
    form.forEach((value, name) => {
      if (typeof value === 'string') parameters.set(phpName(name), value);
    });
  } catch {
    // PHP drops a multipart body that it cannot read and goes on with an empty form.
  }
  return parameters;
}

/**
 * PHP's own spelling of a parameter name: leading spaces dropped; spaces, dots and an unclosed `[`
 * become `_`; `name[key]` is the array `name`.
 */
export function phpName(name: string): string {
  const trimmed = name.replace(/^ +/, '');
  const open = trimmed.indexOf('[');
  if (open > 0 && trimmed.includes(']', open)) return trimmed.slice(0, open).replace(/[ .]/g, '_');
  const bracket = open > 0 ? `${trimmed.slice(0, open)}_${trimmed.slice(open + 1)}` : trimmed;
  return bracket.replace(/[ .]/g, '_');
}

/** Percent-decoding that takes what it gets: a stray `%` stays, bytes are read as UTF-8. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_match, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
