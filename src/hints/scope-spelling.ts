/** What is wrong with a scope for an OpenEMR of a certain version, and how it is spelt right. */
import { RESOURCE_TYPES } from '../fhir/resource-types.ts';
import { parseScope } from '../fhir/scope.ts';
import { nearestResourceType } from './resource-type.ts';

/** A judged scope. */
export interface ScopeJudgement {
  /** What is wrong, as the rest of a sentence that begins with the quoted scope. */
  problem: string;
  /** The right spelling, or undefined when there is none. */
  right?: string;
  /** Whether `right` is the nearest name only, so that it may not be what was meant. */
  guessed?: boolean;
}

/** What is known about the server. */
export interface ScopeContext {
  /** OpenEMR 7.0.4 or later, which know SMART v2 scopes; undefined when not known. */
  modern?: boolean | undefined;
  /** `scopes_supported` of discovery, also nested; empty when not known. */
  supported?: readonly (string | readonly string[])[] | undefined;
}

const LETTERS = ['c', 'r', 'u', 'd', 's'];
const RESOURCE_SCOPE =
  /^(?<context>system|user|patient)\/(?<type>[A-Za-z]+|\*)\.(?<permission>[A-Za-z]+)(?<rest>\?.+)?$/;

/** Judges one scope as it was sent; undefined when nothing can be said against it. */
export function judgeScope(scope: string, context: ScopeContext): ScopeJudgement | undefined {
  const parts = scope.split(/[,+;\s]+/).filter((part) => part !== '');
  if (parts.length > 1) {
    return {
      problem: 'is several scopes that are not separated by single spaces',
      right: parts.join(' '),
    };
  }
  if (scope.startsWith('site:') && context.modern !== false) {
    return { problem: 'is no scope since OpenEMR 7.0.4; leave it out' };
  }
  const match = RESOURCE_SCOPE.exec(scope)?.groups;
  if (match === undefined) return undefined;
  const { context: level = '', type = '', permission = '', rest = '' } = match;
  if (type === '*' && /^(?:read|write|[cruds]+)$/i.test(permission)) {
    return {
      problem: 'is a wildcard, which no OpenEMR knows for resources; name each resource type',
      right: `${level}/Patient.read ${level}/Observation.read …`,
    };
  }
  const knownType = findType(type, level, context.supported);
  const spelt = spellPermission(permission, context.modern);
  if (knownType !== undefined && knownType !== type) {
    return {
      problem: `names no resource type; types are case-sensitive`,
      right: `${level}/${knownType}.${spelt?.right ?? permission}${rest}`,
    };
  }
  const unknown =
    knownType === undefined && level === 'system'
      ? judgeUnknownType(type, context.supported)
      : undefined;
  if (unknown !== undefined) {
    const { problem, meant } = unknown;
    if (meant === undefined) return { problem };
    return {
      problem,
      right: `${level}/${meant}.${spelt?.right ?? permission}${rest}`,
      guessed: true,
    };
  }
  if (spelt === undefined) return undefined;
  return {
    problem: spelt.problem,
    ...(spelt.right === undefined ? {} : { right: `${level}/${type}.${spelt.right}${rest}` }),
  };
}

function spellPermission(
  permission: string,
  modern: boolean | undefined,
): ScopeJudgement | undefined {
  if (permission === 'read') return undefined;
  if (permission === 'write') {
    return modern === false
      ? { problem: 'asks for writing, for which OpenEMR before 7.0.4 has no system scopes' }
      : undefined;
  }
  if (!/^[cruds]+$/i.test(permission)) {
    return { problem: 'has an unknown permission; it is "read" in every version', right: 'read' };
  }
  const letters = LETTERS.filter((letter) => permission.toLowerCase().includes(letter)).join('');
  const reads = /^[rs]+$/.test(letters);
  if (modern !== true) {
    const problem = 'is SMART v2 syntax, which OpenEMR knows since 7.0.4; older ones know v1 only';
    return reads ? { problem, right: 'read' } : { problem };
  }
  if (letters !== permission) {
    return {
      problem: 'has its letters not once each, lower-case and in the order "cruds"',
      right: letters,
    };
  }
  return reads || letters === 'cruds' || letters === 'cud'
    ? undefined
    : { problem: 'is a combination of letters that OpenEMR does not offer', right: 'cud' };
}

/** The resource type as the server spells it, when discovery lists it in another spelling. */
function findType(
  type: string,
  level: string,
  supported: ScopeContext['supported'] = [],
): string | undefined {
  const wanted = `${level}/${type}.`.toLowerCase();
  const listed = supported.flat().find((scope) => scope.toLowerCase().startsWith(wanted));
  return listed?.slice(level.length + 1, level.length + 1 + type.length);
}

/** Resource types of the system scopes that a server lists; none when it lists no such scope, which tells nothing. */
export function listSystemTypes(supported: ScopeContext['supported'] = []): string[] {
  const scopes = supported.flat().map(parseScope);
  const types = scopes
    .filter((scope) => scope?.context === 'system' && scope.operation === undefined)
    .map((scope) => scope?.resourceType ?? '*');
  return [...new Set(types)].filter((type) => type !== '*');
}

/** Judges a type that discovery lists in no spelling: by what it does list, else by the types of FHIR. */
function judgeUnknownType(
  type: string,
  supported: ScopeContext['supported'],
): { problem: string; meant: string | undefined } | undefined {
  const offered = listSystemTypes(supported);
  if (offered.length > 0) {
    return {
      problem: 'names a resource type that the server does not offer',
      meant: nearestResourceType(type, offered),
    };
  }
  return RESOURCE_TYPES.includes(type)
    ? undefined
    : {
        problem: 'names no resource type of FHIR',
        meant: nearestResourceType(type, RESOURCE_TYPES),
      };
}
