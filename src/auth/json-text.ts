/** JSON out of answers that also hold something else. */

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

/** A member that is a string with something in it, else undefined. */
export function stringMember(object: Record<string, unknown>, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A member that is an array of strings, or of such arrays (OpenEMR nests `scopes_supported`); else empty. */
export function stringsMember(object: Record<string, unknown>, name: string): string[] {
  const value = object[name];
  if (!Array.isArray(value)) return [];
  return value.flat(3).filter((item): item is string => typeof item === 'string');
}
