/** JSON out of responses that also hold something else, and its members, bounded and held to their grammar. */
import { isScopeToken, LONGEST_URL, parseWebUrl } from '../base/grammar.ts';

/** How many positions are tried as the start of the object. */
const MOST_STARTS = 8;

/**
 * The JSON object in a text. PHP with `display_errors` prints HTML notices before the JSON of an
 * answer, or after it: what stands around the object is left out.
 *
 * @returns undefined when there is no whole object
 */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  const end = text.lastIndexOf('}') + 1;
  let start = text.indexOf('{');
  for (let tried = 0; start !== -1 && start < end && tried < MOST_STARTS; tried += 1) {
    try {
      const value: unknown = JSON.parse(text.slice(start, end));
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch {
      // A brace of the notice; the object starts at a later one.
    }
    start = text.indexOf('{', start + 1);
  }
  return undefined;
}

/**
 * A member that is a string with something in it, else undefined.
 *
 * @param longest most characters; a longer text counts as missing. Default 2048
 */
export function stringMember(
  object: Record<string, unknown>,
  name: string,
  longest = LONGEST_URL,
): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined;
}

/** A member that is an absolute http or https URL, byte for byte as written, else undefined. */
export function urlMember(object: Record<string, unknown>, name: string): string | undefined {
  const value = stringMember(object, name);
  return value === undefined || parseWebUrl(value) === undefined ? undefined : value;
}

/** Most entries that are taken from a list: OpenEMR 8 announces some 1,500 scopes. */
const MOST_ENTRIES = 10_000;
const LONGEST_ENTRY = 512;

/**
 * The entries of a member that is an array of words, or of such arrays (OpenEMR nests
 * `scopes_supported`); else empty. What is no word by the grammar of a scope (RFC 6749 section 3.3) is
 * left out, and so is what lies beyond 10,000 entries or 512 characters.
 */
export function wordsMember(object: Record<string, unknown>, name: string): string[] {
  const value = object[name];
  if (!Array.isArray(value)) return [];
  return value.flat(3).slice(0, MOST_ENTRIES).filter(isWord);
}

function isWord(item: unknown): item is string {
  return typeof item === 'string' && item.length <= LONGEST_ENTRY && isScopeToken(item);
}
