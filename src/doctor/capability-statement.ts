/** What a server tells about itself in its CapabilityStatement (FHIR R4, `capabilitystatement.html`). */
import { parseJsonObject, stringMember } from '../auth/json-text.ts';
import { isObject } from '../base/is-object.ts';

/** The parts that the checks use. */
export interface ServerFacts {
  /** `software.name`. */
  name?: string;
  /** `fhirVersion`, such as `4.0.1`. */
  fhirVersion?: string;
  /** Resource types that can be searched; empty when none is told. */
  searchable: ReadonlySet<string>;
}

/** Judges a body: undefined when it is no CapabilityStatement. */
export function parseCapabilityStatement(body: string): ServerFacts | undefined {
  const statement = parseJsonObject(body);
  if (statement?.['resourceType'] !== 'CapabilityStatement') return undefined;
  const software = isObject(statement['software']) ? statement['software'] : {};
  const name = stringMember(software, 'name');
  const fhirVersion = stringMember(statement, 'fhirVersion');
  return {
    ...(name === undefined ? {} : { name }),
    ...(fhirVersion === undefined ? {} : { fhirVersion }),
    searchable: new Set(
      objects(statement['rest'])
        .flatMap((rest) => objects(rest['resource']))
        .filter((resource) =>
          objects(resource['interaction']).some(({ code }) => code === 'search-type'),
        )
        .map(({ type }) => String(type)),
    ),
  };
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
