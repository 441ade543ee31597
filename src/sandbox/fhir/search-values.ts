/** Where in a resource the values of a search parameter stand. */
import type { Json, JsonObject, Resource } from './resource.ts';
import { asArray, asObject, asString } from './resources/parse.ts';

/** A value that a token parameter is compared with. */
export interface TokenValue {
  system?: string;
  code: string;
}

type Elements = (resource: Resource) => readonly (Json | undefined)[];

const ELEMENTS: Readonly<Record<string, Elements>> = {
  _id: ({ id }) => [id],
  _lastUpdated: ({ meta }) => [meta.lastUpdated],
  active: ({ active }) => [active],
  address: (resource) => addresses(resource).flatMap((address) => lines(address)),
  'address-city': (resource) => addresses(resource).map(({ city }) => city),
  'address-postalcode': (resource) => addresses(resource).map(({ postalCode }) => postalCode),
  'address-state': (resource) => addresses(resource).map(({ state }) => state),
  birthdate: ({ birthDate }) => [birthDate],
  category: ({ category }) => (Array.isArray(category) ? asArray(category) : [category]),
  code: ({ code }) => [code],
  date: (resource) => [
    resource.effectiveDateTime ?? asObject(resource.period).start ?? resource.date,
  ],
  email: (resource) => contacts(resource, 'email'),
  family: (resource) => names(resource).map(({ family }) => family),
  gender: ({ gender }) => [gender],
  generalPractitioner: ({ generalPractitioner }) => asArray(generalPractitioner),
  given: (resource) => names(resource).flatMap(({ given }) => asArray(given)),
  identifier: ({ identifier }) => asArray(identifier),
  intent: ({ intent }) => [intent],
  name: (resource) =>
    typeof resource.name === 'string'
      ? [resource.name]
      : names(resource).flatMap(({ prefix, given, family }) => [
          ...asArray(prefix),
          ...asArray(given),
          family,
        ]),
  patient: ({ subject, patient }) => [subject ?? patient],
  phone: (resource) => contacts(resource, 'phone'),
  status: ({ status }) => [status],
  telecom: (resource) => [...contacts(resource, 'phone'), ...contacts(resource, 'email')],
  type: ({ type }) => (Array.isArray(type) ? asArray(type) : [type]),
};

/** Elements of a resource that a parameter looks at; empty when it has none. */
export function elementsOf(resource: Resource, parameter: string): readonly Json[] {
  return (ELEMENTS[parameter]?.(resource) ?? []).filter((value) => value !== undefined);
}

/** Texts of an element, for string and date parameters and for sorting. */
export function textsOf(element: Json): readonly string[] {
  if (typeof element === 'string') return [element];
  if (typeof element === 'boolean' || typeof element === 'number') return [String(element)];
  return tokensOf(element).map(({ code }) => code);
}

/** Codes of an element: a code, an Identifier, a Coding or a CodeableConcept. */
export function tokensOf(element: Json): readonly TokenValue[] {
  if (typeof element === 'boolean')
    return [{ code: element ? '1' : '0' }, { code: String(element) }];
  if (typeof element !== 'object' || element === null) return [{ code: String(element) }];
  const { coding, system, code, value } = asObject(element);
  if (coding !== undefined) return asArray(coding).flatMap(tokensOf);
  const text = asString(code) ?? asString(value);
  if (text === undefined) return [];
  return [typeof system === 'string' ? { system, code: text } : { code: text }];
}

/** Id that a Reference points at; undefined when it names none. */
export function referencedId(element: Json): string | undefined {
  return asString(asObject(element).reference)?.split('/').at(-1);
}

function names(resource: Resource): readonly JsonObject[] {
  return asArray(resource.name).map(asObject);
}

function addresses(resource: Resource): readonly JsonObject[] {
  return asArray(resource.address).map(asObject);
}

function lines({ line, city, state, postalCode }: JsonObject): readonly (Json | undefined)[] {
  return [...asArray(line), city, state, postalCode];
}

function contacts(resource: Resource, system: string): readonly (Json | undefined)[] {
  return asArray(resource.telecom)
    .map(asObject)
    .filter((point) => point.system === system)
    .map(({ value }) => value);
}
