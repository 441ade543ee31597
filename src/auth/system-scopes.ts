/** Which scopes a backend client can ask a server for, spelt the way that server takes them. */
import { parseScope, type Scope } from '../fhir/scope.ts';

/** A scope to choose. */
export interface ScopeChoice {
  /** As this server takes it. */
  scope: string;
  /** `Patient`, or `*` of an operation on everything. */
  resourceType: string;
  /** What it allows, in a word or two. */
  allows: string;
}

/**
 * Scopes to choose from, resource types before operations: one for reading each type, spelt in v1
 * (`system/Patient.read`) where the server lists that, which every OpenEMR takes; with `write` also
 * those that change data.
 *
 * @param supported scopes with the context `system` that the server announces
 */
export function buildScopeChoices(
  supported: readonly string[],
  { write }: { write: boolean },
): ScopeChoice[] {
  const parsed = parseAll(supported);
  const types = [...new Set(parsed.filter(isResource).map(({ resourceType }) => resourceType))];
  const find = (type: string, letters: string) =>
    parsed
      .filter((scope) => isResource(scope) && scope.resourceType === type)
      .filter((scope) => scope.restriction === undefined && scope.letters === letters)
      .toSorted((a, b) => b.text.length - a.text.length)[0];
  const choice = (scope: Scope | undefined, allows: string): ScopeChoice[] =>
    scope === undefined ? [] : [{ scope: scope.text, resourceType: scope.resourceType, allows }];
  return [
    ...types.sort().flatMap((type) => {
      const reading = choice(find(type, 'rs'), 'read and search');
      const parts =
        reading.length > 0
          ? reading
          : [...choice(find(type, 'r'), 'read'), ...choice(find(type, 's'), 'search')];
      return write
        ? [...parts, ...choice(find(type, 'cud') ?? find(type, 'cruds'), 'write')]
        : parts;
    }),
    ...parsed
      .filter(({ operation }) => operation !== undefined)
      .map(({ text, resourceType, operation = '' }) => ({
        scope: text,
        resourceType,
        allows: operation,
      })),
  ];
}

/** Scopes as a server takes them, and what is to be said about it. */
export interface SpeltScopes {
  scopes: string[];
  /** Sentences; lower-case, no full stop. */
  notes: string[];
  /** Scopes that the server does not announce. */
  unknown: string[];
}

/**
 * Spells wanted scopes for a server: v2 (`system/Patient.rs`) becomes v1 where the server lists v1
 * only, and `system/*.read`, which OpenEMR never takes, becomes one scope for each type.
 *
 * @param supported as for {@link buildScopeChoices}; empty when the server does not tell
 */
export function spellScopes(wanted: readonly string[], supported: readonly string[]): SpeltScopes {
  const parsed = parseAll(supported);
  const result: SpeltScopes = { scopes: [], notes: [], unknown: [] };
  for (const text of wanted) {
    const scopes = spell(text, supported, parsed);
    if (scopes.length === 0) {
      result.scopes.push(text);
      if (supported.length > 0) result.unknown.push(text);
      continue;
    }
    result.scopes.push(...scopes);
    if (scopes.length === 1 && scopes[0] === text) continue;
    result.notes.push(
      scopes.length === 1
        ? `"${text}" is spelt "${scopes[0]}" on this server`
        : `"${text}" stands for ${scopes.length} scopes on this server`,
    );
  }
  return { ...result, scopes: [...new Set(result.scopes)] };
}

/** The scopes that cover a wanted one; none when the server has none. */
function spell(text: string, supported: readonly string[], parsed: readonly Scope[]): string[] {
  if (supported.includes(text)) return [text];
  const scope = parseScope(text);
  if (scope === undefined || scope.operation !== undefined || scope.context !== 'system') return [];
  if (scope.resourceType === '*') {
    const choices = buildScopeChoices(supported, { write: scope.letters.match(/[cud]/) !== null });
    return choices.filter(({ allows }) => !allows.startsWith('$')).map((each) => each.scope);
  }
  const ofType = parsed.filter(
    (each) => isResource(each) && each.resourceType === scope.resourceType,
  );
  // A server that lists v2 for the type takes every subset of its letters.
  const takesV2 = ofType.some((each) => !/\.(?:read|write|\*)$/.test(each.text));
  if (takesV2 && scope.restriction !== undefined) return [text];
  if (scope.restriction !== undefined) return [];
  const same = ofType.find(
    ({ letters, restriction }) => letters === scope.letters && restriction === undefined,
  );
  if (same !== undefined) return [same.text];
  if (takesV2) return [text];
  const read = ofType.find(({ letters }) => letters === 'rs');
  return read !== undefined && /^[rs]+$/.test(scope.letters) ? [read.text] : [];
}

/** Whether any of the scopes lets a client change data. */
export function allowsWriting(scopes: readonly string[]): boolean {
  return parseAll(scopes).some(({ letters }) => /[cud]/.test(letters));
}

function parseAll(scopes: readonly string[]): Scope[] {
  return scopes.map(parseScope).filter((scope) => scope !== undefined);
}

function isResource({ operation, context }: Scope): boolean {
  return operation === undefined && context === 'system';
}
