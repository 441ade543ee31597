/** Fields that cross from the upstream to the client, and the reason phrase. */

/** undici's raw fields: names and values in turn. */
export type RawFields = readonly (Buffer | string)[];

/** Names that never cross, lower-case: hop-by-hop (RFC 9110 section 7.6.1) and the upstream's own affairs. */
const REMOVED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // OpenEMR's session cookies: cookies ignore ports, so every other local server would get them.
  'set-cookie',
  // Would force https on every local server of this name, for a year.
  'strict-transport-security',
  'alt-svc',
]);

/** Fields whose value may hold an absolute URL of the upstream. */
const LINKING: ReadonlySet<string> = new Set(['location', 'content-location', 'link']);

/** How the head of an upstream answer is to be changed. */
export interface ResponseFieldOptions {
  /** Rewrites the value of a field that may hold an upstream URL; undefined leaves them as they are. */
  rewriteField: ((value: string) => string) | undefined;
  /** Whether the body will be changed, so that its length and digests must go. */
  bodyChanges: boolean;
  /** Whether the content coding of the body was undone. */
  decoded: boolean;
  /** Length of the body in bytes, which takes the place of the upstream's; undefined leaves that. */
  length: number | undefined;
  /** Further fields, names and values in turn. */
  added: readonly string[];
  /** Takes the names of the fields that do not cross. */
  withheld?: string[];
}

/** Fields that speak about the bytes of the body, lower-case. */
const ABOUT_BYTES: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
]);

/** Fields for the client, names and values in turn; order, spelling and duplicates survive. */
export function buildResponseFields(
  rawFields: RawFields,
  { rewriteField, bodyChanges, decoded, length, added, withheld }: ResponseFieldOptions,
): string[] {
  const fields: string[] = [];
  let named: Set<string> | undefined;
  for (let i = 0; i < rawFields.length; i += 2) {
    const name = text(rawFields[i]!);
    const lower = name.toLowerCase();
    if (lower === 'connection') named = addOptions(text(rawFields[i + 1]!), named);
    if (length !== undefined && lower === 'content-length') continue;
    if (
      REMOVED.has(lower) ||
      lower.startsWith('access-control-') ||
      (bodyChanges && ABOUT_BYTES.has(lower)) ||
      (decoded && lower === 'content-encoding')
    ) {
      withheld?.push(name);
      continue;
    }
    const value = text(rawFields[i + 1]!);
    const rewritten =
      rewriteField !== undefined && LINKING.has(lower) ? rewriteField(value) : value;
    fields.push(name, rewritten);
  }
  const kept = named === undefined ? fields : without(fields, named);
  if (length !== undefined) kept.push('Content-Length', String(length));
  kept.push(...added);
  return kept;
}

/**
 * The value of the raw fields with this lower-case name, or undefined; of several, joined as RFC
 * 9110 section 5.2 has it.
 */
export function findField(rawFields: RawFields, lowerName: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < rawFields.length; i += 2) {
    const name = rawFields[i]!;
    if (name.length === lowerName.length && text(name).toLowerCase() === lowerName) {
      const line = text(rawFields[i + 1]!);
      value = value === undefined ? line : `${value}, ${line}`;
    }
  }
  return value;
}

/**
 * A reason phrase that may be sent on (RFC 9112 section 4), else undefined. Node throws on control
 * characters in it, which has killed proxies.
 */
export function cleanReasonPhrase(phrase: string | undefined): string | undefined {
  return phrase !== undefined && /^[\t\x20-\x7e\x80-\xff]+$/.test(phrase) ? phrase : undefined;
}

/** Framing and meaning of the body are not hop-by-hop, whatever a `Connection` field says. */
const NOT_OPTIONS = new Set([
  '',
  'close',
  'keep-alive',
  'content-length',
  'content-type',
  'content-encoding',
]);

function addOptions(value: string, named: Set<string> | undefined): Set<string> | undefined {
  let names = named;
  for (const option of value.split(',')) {
    const lower = option.trim().toLowerCase();
    if (NOT_OPTIONS.has(lower)) continue;
    names ??= new Set();
    names.add(lower);
  }
  return names;
}

function without(fields: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!named.has(fields[i]!.toLowerCase())) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}

function text(value: Buffer | string): string {
  return typeof value === 'string' ? value : value.toString('latin1');
}
