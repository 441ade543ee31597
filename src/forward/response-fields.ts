/** Fields that cross from the upstream to the client, and the reason phrase. */

import { CONTAINMENT_FIELDS, promptsForPassword, steersBrowser } from './browser-steering.ts';

/** Fields as they came: names and values in turn, one character for one byte. */
export type RawFields = readonly string[];

/** What is to be known of a field by its name. */
type Kind =
  | 'removed'
  | 'connection'
  | 'challenge'
  | 'linking'
  | 'length'
  | 'digest'
  | 'coding'
  | 'other';

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // Hop-by-hop (RFC 9110 section 7.6.1).
  ['connection', 'connection'],
  ['keep-alive', 'removed'],
  ['proxy-connection', 'removed'],
  ['proxy-authenticate', 'removed'],
  ['te', 'removed'],
  ['trailer', 'removed'],
  ['transfer-encoding', 'removed'],
  ['upgrade', 'removed'],
  // A browser asks for a password on behalf of the proxy, and remembers it for all of this origin.
  ['www-authenticate', 'challenge'],
  // The value may hold an absolute URL of the upstream.
  ['location', 'linking'],
  ['content-location', 'linking'],
  ['link', 'linking'],
  // About the bytes of the body.
  ['content-length', 'length'],
  ['content-md5', 'digest'],
  ['digest', 'digest'],
  ['content-digest', 'digest'],
  ['content-encoding', 'coding'],
]);

/** Kinds of names as spelled, remembered: an upstream uses the same two dozen for ever. */
const kinds = new Map<string, Kind>();
const MOST_KINDS = 1024;

function kindOf(name: string): Kind {
  const known = kinds.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const kind = KINDS.get(lower) ?? (steersBrowser(lower) ? 'removed' : 'other');
  if (kinds.size < MOST_KINDS) kinds.set(name, kind);
  return kind;
}

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

/** The fields of a head as undici gives them, as text. */
export function readFields(fields: readonly (Buffer | string)[]): RawFields {
  const read: string[] = [];
  for (const field of fields) {
    read.push(typeof field === 'string' ? field : field.toString('latin1'));
  }
  return read;
}

/**
 * Fields for the client, names and values in turn; order, spelling and duplicates of what crosses
 * survive. Every response carries {@link CONTAINMENT_FIELDS}.
 */
export function buildResponseFields(
  rawFields: RawFields,
  { rewriteField, bodyChanges, decoded, length, added, withheld }: ResponseFieldOptions,
): string[] {
  const fields: string[] = [];
  let named: Set<string> | undefined;
  for (let i = 0; i < rawFields.length; i += 2) {
    const name = rawFields[i]!;
    const value = rawFields[i + 1]!;
    const kind = kindOf(name);
    if (kind === 'other') {
      fields.push(name, value);
      continue;
    }
    if (kind === 'length' && length !== undefined) continue;
    if (kind === 'connection') named = addOptions(value, named);
    if (
      kind === 'removed' ||
      kind === 'connection' ||
      (kind === 'challenge' && promptsForPassword(value)) ||
      (bodyChanges && (kind === 'length' || kind === 'digest')) ||
      (decoded && kind === 'coding')
    ) {
      withheld?.push(name);
    } else {
      fields.push(name, kind === 'linking' && rewriteField ? rewriteField(value) : value);
    }
  }
  const kept = named === undefined ? fields : without(fields, named);
  if (length !== undefined) kept.push('Content-Length', String(length));
  kept.push(...CONTAINMENT_FIELDS, ...added);
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
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) {
      const line = rawFields[i + 1]!;
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
  // What nearly every answer says, and what names nothing.
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return named;
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
