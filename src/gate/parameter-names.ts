/** Names of query parameters, for the log and the inspector; values never leave this file. */

/** Most names that are kept. */
const MAX_NAMES = 32;
const STRAY = '…';
const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const NO_NAMES: readonly string[] = [];
/** Search parameters with modifiers and chains (`subject:Patient.name`, `_has:Observation:patient:code`). */
const NAME = /^[A-Za-z_$][A-Za-z0-9_.:$-]{0,63}$/;

/**
 * The names in order, without duplicates. What does not look like the name of a FHIR parameter, or
 * has no `=`, may be a value that strayed, and is kept as `…`.
 *
 * @param query without its question mark
 */
export function parseParameterNames(query: string): readonly string[] {
  if (query === '') return NO_NAMES;
  const names: string[] = [];
  let start = 0;
  let equals = -1;
  for (let i = 0; i <= query.length && names.length < MAX_NAMES; i++) {
    const code = i < query.length ? query.charCodeAt(i) : AMPERSAND;
    if (code === EQUALS && equals < 0) equals = i;
    if (code !== AMPERSAND) continue;
    if (i > start) {
      const name = equals < 0 ? STRAY : displayName(query.slice(start, equals));
      if (!names.includes(name)) names.push(name);
    }
    start = i + 1;
    equals = -1;
  }
  return names;
}

function displayName(raw: string): string {
  const name = raw.includes('%') ? raw.replaceAll(/%3a/gi, ':').replaceAll(/%24/g, '$') : raw;
  return NAME.test(name) ? name : STRAY;
}
