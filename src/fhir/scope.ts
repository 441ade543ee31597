/**
 * SMART scopes of system clients: v1 (`system/Patient.read`), v2 (`system/Patient.rs`, SMART App
 * Launch 2.2, section Scopes) and OpenEMR's operation scopes (`system/*.$export`).
 */
import type { Interaction, InteractionName } from './interaction.ts';

/** A parsed scope. */
export interface Scope {
  /** The scope as written. */
  text: string;
  /** `system`, `user` or `patient`. */
  context: string;
  /** Resource type, or `*`. */
  resourceType: string;
  /** Permission letters of v2 (`c r u d s`); v1's `read` is `rs`, `write` is `cud`, `*` all; empty for an operation. */
  letters: string;
  /** Operation with its `$`, when the scope is for one. */
  operation?: string;
  /** `?category=…` restriction of a granular scope, without the question mark. */
  restriction?: string;
}

const SCOPE =
  /^(system|user|patient)\/([A-Za-z]+|\*)\.(read|write|\*|c?r?u?d?s?|\$[a-z-]+)(?:\?(.+))?$/;
const V1_LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** The parts of a resource scope, or undefined when the text is not one (`openid`, `site:default`, a typo). */
export function parseScope(text: string): Scope | undefined {
  const match = SCOPE.exec(text);
  if (match === null) return undefined;
  const [, context = '', resourceType = '', permission = '', restriction] = match;
  if (permission === '') return undefined;
  const operation = permission.startsWith('$') ? permission : undefined;
  return {
    text,
    context,
    resourceType,
    letters: operation === undefined ? (V1_LETTERS[permission] ?? permission) : '',
    ...(operation === undefined ? {} : { operation }),
    ...(restriction === undefined ? {} : { restriction }),
  };
}

const LETTER: Readonly<Partial<Record<InteractionName, string>>> = {
  read: 'r',
  vread: 'r',
  history: 'r',
  search: 's',
  create: 'c',
  update: 'u',
  patch: 'u',
  delete: 'd',
};

/** The least scope that lets an interaction through, in both spellings. */
export interface NeededScope {
  /** v1 spelling, understood by every OpenEMR: `system/Patient.read`. */
  v1: string;
  /** v2 spelling, understood since OpenEMR 7.0.4: `system/Patient.s`. */
  v2: string;
}

/** The scope that an interaction needs, or undefined when it needs none or its path does not show which. */
export function neededScope(interaction: Interaction): NeededScope | undefined {
  const { name, operation, open } = interaction;
  if (open) return undefined;
  const resourceType = interaction.resourceType ?? '*';
  if (operation !== undefined) {
    const scope = `system/${resourceType}.${operation}`;
    return { v1: scope, v2: scope };
  }
  const letter = LETTER[name];
  if (letter === undefined || interaction.resourceType === undefined) return undefined;
  const v1 = letter === 'r' || letter === 's' ? 'read' : 'write';
  return { v1: `system/${resourceType}.${v1}`, v2: `system/${resourceType}.${letter}` };
}

/**
 * Whether granted scopes cover an interaction. True when that is not known: a wrong "no" would
 * keep the proxy from renewing a token that renewing would have cured.
 */
export function coversInteraction(granted: readonly string[], interaction: Interaction): boolean {
  const needed = neededScope(interaction);
  if (needed === undefined) return true;
  const resourceType = interaction.resourceType ?? '*';
  const letter = LETTER[interaction.name] ?? '';
  return granted.some((text) => {
    const scope = parseScope(text);
    if (scope === undefined) return false;
    if (scope.resourceType !== '*' && scope.resourceType !== resourceType) return false;
    return interaction.operation === undefined
      ? scope.letters.includes(letter) && letter !== ''
      : scope.operation === interaction.operation;
  });
}

/**
 * Requested scopes that the granted ones do not cover. Spellings count as equal: `system/Patient.read`
 * is covered by `system/Patient.rs`, and by `system/Patient.r` and `system/Patient.s` together.
 */
export function missingScopes(requested: readonly string[], granted: readonly string[]): string[] {
  const parsed = granted.map(parseScope).filter((scope) => scope !== undefined);
  return requested.filter((text) => !granted.includes(text) && !covers(parsed, parseScope(text)));
}

function covers(granted: readonly Scope[], wanted: Scope | undefined): boolean {
  if (wanted === undefined) return false;
  const matching = granted.filter(
    (scope) =>
      scope.context === wanted.context &&
      (scope.resourceType === '*' || scope.resourceType === wanted.resourceType) &&
      (scope.restriction === undefined || scope.restriction === wanted.restriction),
  );
  if (wanted.operation !== undefined) {
    return matching.some(({ operation }) => operation === wanted.operation);
  }
  return Array.from(wanted.letters).every((letter) =>
    matching.some(({ letters }) => letters.includes(letter)),
  );
}
