import { ProxyError } from '../base/errors.ts';
/** The access rules of one route: methods, read-only, and lists of resource types and operations. */
import { METHODS } from '../config/access-schema.ts';
import type { AccessConfig } from '../config/schema.ts';
import { type Interaction, UNKNOWN_OPERATION } from '../fhir/interaction.ts';

/** Methods that a read-only route can take at all; `POST` for `_search`, operations and batches. */
const READING_METHODS: readonly string[] = ['GET', 'HEAD', 'POST'];

/** What a route lets through. */
export interface AccessRules {
  /** Value of `Allow` (RFC 9110 section 10.2.1). */
  readonly allow: string;
  /** Whether a batch must be looked into: some interactions are refused. */
  readonly judgesBatches: boolean;
  readonly readOnly: boolean;
  /**
   * The refusal, or undefined: `method-refused` (405), `read-only` (405 for a method that never
   * reads, else 403), `interaction-refused` (403).
   */
  check(method: string, interaction: Interaction): ProxyError | undefined;
}

/** The rules of one route's `access`. */
export function createAccessRules(access: AccessConfig): AccessRules {
  const { readOnly, cancelExports } = access;
  const methods = new Set<string>(access.methods);
  const able = access.methods.filter((method) => !readOnly || isAble(method, cancelExports));
  const checkLists = createListCheck(access);

  return {
    allow: [...able, 'OPTIONS'].join(', '),
    judgesBatches: readOnly || checkLists !== undefined || methods.size < METHODS.length,
    readOnly,
    check(method, interaction) {
      if (!methods.has(method)) return refuseMethod(method, able);
      if (readOnly && interaction.writes && interaction.name !== 'batch') {
        if (!(cancelExports && isCancel(method, interaction)))
          return refuseWrite(method, interaction);
      }
      return checkLists?.(interaction);
    },
  };
}

function isAble(method: string, cancelExports: boolean): boolean {
  return READING_METHODS.includes(method) || (cancelExports && method === 'DELETE');
}

function isCancel(method: string, interaction: Interaction): boolean {
  return method === 'DELETE' && interaction.operation === '$bulkdata-status';
}

/** The check of `allow` and `deny`, or undefined when there are none. */
function createListCheck(
  access: AccessConfig,
): ((interaction: Interaction) => ProxyError | undefined) | undefined {
  const allow = access.allow === undefined ? undefined : new Set(access.allow);
  // Servers differ in whether they mind letter case, so what is denied is denied in any.
  const deny = new Set(access.deny.map((each) => each.toLowerCase()));
  if (allow === undefined && deny.size === 0) return undefined;

  return ({ name, resourceType, operation }) => {
    // A batch is judged by its entries; what the server is able to do is no health data.
    if (name === 'batch' || name === 'capabilities' || name === 'discovery') return undefined;
    for (const each of [resourceType, operation]) {
      if (each !== undefined && deny.has(each.toLowerCase())) return refuseListed(each, 'is in');
    }
    const decisive = operation ?? resourceType;
    if (name === 'other' || decisive === undefined || operation === UNKNOWN_OPERATION) {
      return new ProxyError(
        'interaction-refused',
        'the request names no single resource type or operation, so "access.allow" and "access.deny" of this route cannot let it through: ask for one resource type',
        { status: 403 },
      );
    }
    if (allow !== undefined && !allow.has(decisive)) return refuseListed(decisive, 'is not in');
    return undefined;
  };
}

function refuseListed(name: string, relation: 'is in' | 'is not in'): ProxyError {
  const [list, remedy] =
    relation === 'is in'
      ? ['access.deny', `remove "${name}" from it`]
      : ['access.allow', `add "${name}" to it`];
  return new ProxyError(
    'interaction-refused',
    `"${name}" ${relation} "${list}" of this route: to let it through, ${remedy}`,
    { status: 403 },
  );
}

/** The refusal of a method that a route, or the proxy, never takes (`method-refused`, 405). */
export function refuseMethod(method: string, able: readonly string[]): ProxyError {
  return new ProxyError(
    'method-refused',
    `method "${method.slice(0, 20)}" is not allowed: expected ${able.join(', ')}`,
    { status: 405 },
  );
}

function refuseWrite(method: string, interaction: Interaction): ProxyError {
  return new ProxyError(
    'read-only',
    `this route is read-only and ${method} "${interaction.label}" may change data: set "access.readOnly" to false to let it through`,
    { status: READING_METHODS.includes(method) ? 403 : 405 },
  );
}
