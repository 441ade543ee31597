/**
 * What a resource type of OpenEMR's FHIR API is: what its CapabilityStatement says of it, which is
 * also what the routes and the search follow. Types that the sample has no data of are searched and
 * read like the others and come back empty, as in an OpenEMR that holds none.
 */

/** How the values of a search parameter are compared (FHIR R4, Search). */
export type SearchParameterType = 'token' | 'string' | 'date' | 'reference';

/** One resource type. */
export interface ResourceType {
  name: string;
  /** Names below `http://hl7.org/fhir/us/core/StructureDefinition/`, or whole URLs. */
  supportedProfiles: readonly string[];
  /** As the CapabilityStatement lists them, in its order. */
  interactions: readonly string[];
  /** Search parameters by name, in order; empty for a type that cannot be searched. */
  search: ReadonlyMap<string, SearchParameterType>;
  /** Whether `_revinclude=Provenance:target` is announced. */
  provenance: boolean;
  operations: readonly { name: string; definition: string }[];
  /** PHP class that the error log blames for a bad search, below `OpenEMR\Services\FHIR\`. */
  service: string;
}

const SEARCH_AND_READ = ['search-type', 'read'];

/**
 * Describes a type.
 *
 * @param profiles space-separated
 * @param search space-separated `name:type`; `_lastUpdated` follows unless it is placed or left out
 */
export function defineType(
  name: string,
  profiles: string,
  search: string,
  rest: {
    interactions?: readonly string[];
    operations?: ResourceType['operations'];
    service?: string;
    withoutLastUpdated?: boolean;
  } = {},
): ResourceType {
  const parameters = search.split(' ').filter((part) => part !== '');
  const lastUpdated = '_lastUpdated:date';
  const complete =
    rest.withoutLastUpdated === true || search === '' || search.includes(lastUpdated)
      ? parameters
      : [...parameters, lastUpdated];
  return {
    name,
    supportedProfiles: profiles.split(' ').filter((part) => part !== ''),
    interactions: rest.interactions ?? SEARCH_AND_READ,
    search: new Map(
      complete.map((part) => {
        const [parameter = '', kind = 'token'] = part.split(':');
        return [parameter, kind as SearchParameterType];
      }),
    ),
    // OpenEMR announces it for the types that have a US Core profile.
    provenance: profiles !== '',
    operations: rest.operations ?? [],
    service: rest.service ?? `Fhir${name}Service`,
  };
}
