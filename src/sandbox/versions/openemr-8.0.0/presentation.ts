/** Stored resources as OpenEMR 8.0.0 shows them: with their profiles, and more about a patient. */
import type { Json, Resource } from '../../fhir/resource.ts';
import { tokensOf } from '../../fhir/search-values.ts';
import { absoluteProfile, VITAL_SIGNS_PROFILES } from './profiles.ts';
import { RESOURCE_TYPES } from './resource-types.ts';

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';

/** Of a patient of whom neither is known. */
const PATIENT_EXTENSIONS: readonly Json[] = [
  {
    valueCoding: { system: 'DataAbsentReason', code: 'unknown', display: 'Unknown' },
    url: `${US_CORE}/us-core-sex`,
  },
  {
    valueCoding: {
      system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason',
      code: 'unknown',
      display: 'Unknown',
    },
    url: `${US_CORE}/us-core-interpreter-needed`,
  },
];

/** Absolute URLs of the profiles that resources of a type show. */
const PROFILES = new Map(
  RESOURCE_TYPES.map(({ name, supportedProfiles }) => [
    name,
    supportedProfiles.map(absoluteProfile),
  ]),
);

/** @returns the resource itself where nothing is added */
export function present(resource: Resource): Resource {
  const profile = profilesOf(resource);
  const shown =
    profile.length === 0 ? resource : { ...resource, meta: { ...resource.meta, profile } };
  if (resource.resourceType !== 'Patient') return shown;
  const { extension } = resource;
  const extensions = Array.isArray(extension) ? (extension as readonly Json[]) : [];
  return { ...shown, extension: [...extensions, ...PATIENT_EXTENSIONS] };
}

/** A type with profiles for several uses shows those of the use; only vital signs were seen. */
function profilesOf(resource: Resource): readonly string[] {
  if (resource.resourceType !== 'Observation') return PROFILES.get(resource.resourceType) ?? [];
  const categories = Array.isArray(resource['category']) ? (resource['category'] as Json[]) : [];
  const codes = categories.flatMap(tokensOf).map(({ code }) => code);
  return codes.includes('vital-signs') ? VITAL_SIGNS_PROFILES : [];
}
