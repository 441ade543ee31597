/**
 * Search as OpenEMR does it: parameters are joined with "and", values of one parameter with "or"; a
 * parameter that the type does not have, or a value that cannot be read, fails the search, which the
 * caller sees as no entries at all.
 */
import { PhpFatalError, SearchFieldError } from './errors.ts';
import { isUuid } from './ordered-uuid.ts';
import type { ResourceType, SearchParameterType } from './resource-types.ts';
import type { Json, Resource } from './resource.ts';
import { isInRange, parseDateRange } from './search-date.ts';
import { elementsOf, referencedId, textsOf, tokensOf } from './search-values.ts';

/** Parameters by name as PHP knows them; more than one value when query and form body name the same. */
export type SearchParameters = ReadonlyMap<string, readonly string[]>;

type Test = (resource: Resource) => boolean;

const SPECIAL = new Set(['_count', '_offset', '_sort', '_revinclude']);
const BAD_UUID = 'UUID columns must be a valid UUID string';

/**
 * @param resources all of the type, in their order
 * @throws SearchFieldError for a parameter or a value that OpenEMR does not take
 * @throws PhpFatalError for what makes OpenEMR crash: an absolute URL as a reference, a negative `_count`
 */
export function searchResources(
  type: ResourceType,
  resources: readonly Resource[],
  parameters: SearchParameters,
): readonly Resource[] {
  const tests: Test[] = [];
  for (const [name, values] of parameters) {
    if (!SPECIAL.has(name)) tests.push(buildTest(type, name, values));
  }
  const found = resources.filter((resource) => tests.every((test) => test(resource)));
  return page(sort(type, found, parameters.get('_sort')?.at(-1)), parameters);
}

/** What OpenEMR says of an id that is no UUID. */
export const BAD_ID_MESSAGE = new SearchFieldError('_id', BAD_UUID).message;

/** The id of a read, which OpenEMR treats as a search by `_id`. @throws SearchFieldError */
export function assertUuid(id: string): void {
  if (!isUuid(id)) throw new SearchFieldError('_id', BAD_UUID);
}

function buildTest(type: ResourceType, field: string, values: readonly string[]): Test {
  const [name = '', modifier] = field.split(':');
  const kind = type.search.get(name);
  if (kind === undefined) {
    throw new SearchFieldError(field, 'This search field does not exist or is not supported');
  }
  const alternatives = values
    .flatMap((value) => value.split(','))
    .map((value) => buildMatch(field, name, kind, modifier, value));
  return (resource) => {
    const elements = elementsOf(resource, name);
    return alternatives.some((match) => match(elements));
  };
}

type Match = (elements: readonly Json[]) => boolean;

function buildMatch(
  field: string,
  name: string,
  kind: SearchParameterType,
  modifier: string | undefined,
  value: string,
): Match {
  if (kind === 'date') return buildDateMatch(field, value);
  if (kind === 'reference') return buildReferenceMatch(field, value);
  if (kind === 'string') return buildStringMatch(modifier, value);
  if (name === '_id' && !isUuid(value)) throw new SearchFieldError(field, BAD_UUID);
  return buildTokenMatch(modifier, value);
}

function buildDateMatch(field: string, value: string): Match {
  const range = parseDateRange(value);
  if (typeof range === 'string') throw new SearchFieldError(field, range);
  return (elements) => elements.flatMap(textsOf).some((text) => isInRange(Date.parse(text), range));
}

function buildReferenceMatch(field: string, value: string): Match {
  if (value.includes('://')) {
    throw new PhpFatalError('crash-reference-url');
  }
  const id = value.split('/').at(-1) ?? '';
  if (!isUuid(id)) throw new SearchFieldError(field, BAD_UUID);
  return (elements) =>
    elements.some((element) => referencedId(element)?.toLowerCase() === id.toLowerCase());
}

function buildStringMatch(modifier: string | undefined, value: string): Match {
  if (modifier === 'exact') return (elements) => elements.flatMap(textsOf).includes(value);
  const wanted = fold(value);
  const matches = (text: string): boolean => {
    if (modifier === 'contains') return text.includes(wanted);
    return modifier === 'suffix' ? text.endsWith(wanted) : text.startsWith(wanted);
  };
  return (elements) => elements.flatMap(textsOf).some((text) => matches(fold(text)));
}

function buildTokenMatch(modifier: string | undefined, value: string): Match {
  if (modifier === 'missing') return (elements) => (elements.length === 0) === (value === 'true');
  const bar = value.lastIndexOf('|');
  const system = bar === -1 ? undefined : value.slice(0, bar);
  const code = fold(value.slice(bar + 1));
  return (elements) =>
    elements
      .flatMap(tokensOf)
      .some(
        (token) =>
          fold(token.code) === code &&
          (system === undefined || token.system === undefined || token.system === system),
      );
}

/** MariaDB's general collation: neither case nor accents count. */
function fold(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

function sort(
  type: ResourceType,
  resources: readonly Resource[],
  order: string | undefined,
): readonly Resource[] {
  const keys = (order ?? '')
    .split(',')
    .map((key) => ({ name: key.replace(/^-/, ''), sign: key.startsWith('-') ? -1 : 1 }))
    .filter(({ name }) => type.search.has(name));
  if (keys.length === 0) return resources;
  const text = (resource: Resource, name: string): string =>
    fold(elementsOf(resource, name).flatMap(textsOf)[0] ?? '');
  return resources.toSorted((a, b) => {
    for (const { name, sign } of keys) {
      const [left, right] = [text(a, name), text(b, name)];
      if (left !== right) return left < right ? -sign : sign;
    }
    return 0;
  });
}

function page(resources: readonly Resource[], parameters: SearchParameters): readonly Resource[] {
  const count = whole(parameters.get('_count')?.at(-1));
  if (count < 0) {
    throw new PhpFatalError('crash-negative-count');
  }
  // MariaDB has no OFFSET without LIMIT, and OpenEMR writes both only when there is a limit.
  if (count === 0) return resources;
  const offset = Math.max(0, whole(parameters.get('_offset')?.at(-1)));
  return resources.slice(offset, offset + count);
}

/** PHP's intval: the leading whole number, or 0. */
function whole(text: string | undefined): number {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isNaN(number) ? 0 : number;
}
