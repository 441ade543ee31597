/**
 * FHIR resources as OpenEMR writes them, and the small elements that they share. Members stand in
 * OpenEMR's order, so that an answer can be compared with a recorded one byte by byte.
 */

/** A JSON value; `undefined` members are left out when written. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [member: string]: Json | undefined };

/** A JSON object. */
export type JsonObject = { readonly [member: string]: Json | undefined };

/** A stored FHIR R4 resource. */
export interface Resource {
  /** UUID, lower-case. */
  readonly id: string;
  readonly meta: { readonly versionId: string; readonly lastUpdated: string };
  readonly resourceType: string;
  readonly [element: string]: Json | undefined;
}

/** A code of a code system, with the words for it. */
export interface Code {
  system: string;
  code: string;
  display?: string;
}

/** Code systems by their canonical URLs. */
export const CODE_SYSTEM = {
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  allergyClinical: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
  allergyVerification: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
  conditionCategory: 'http://terminology.hl7.org/CodeSystem/condition-category',
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  conditionVerification: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
  cvx: 'http://hl7.org/fhir/sid/cvx',
  dataAbsentReason: 'http://terminology.hl7.org/CodeSystem/data-absent-reason',
  ihe: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  icd10: 'http://hl7.org/fhir/sid/icd-10-cm',
  language: 'urn:ietf:bcp:47',
  loinc: 'http://loinc.org',
  medicationCategory: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category',
  npi: 'http://hl7.org/fhir/sid/us-npi',
  nullFlavor: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor',
  observationCategory: 'http://terminology.hl7.org/CodeSystem/observation-category',
  organizationType: 'http://terminology.hl7.org/CodeSystem/organization-type',
  participationType: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  raceAndEthnicity: 'urn:oid:2.16.840.1.113883.6.238',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  snomed: 'http://snomed.info/sct',
  ucum: 'http://unitsofmeasure.org',
} as const;

/** Date and time the way PHP's DATE_ATOM writes it in UTC: `2026-11-23T18:23:51+00:00`. */
export function formatInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

/** The same with milliseconds, as in `Address.period`. */
function formatInstantMilliseconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}+00:00`;
}

/** `Resource.meta`; OpenEMR keeps no versions, so `versionId` is always `1`. */
export function buildMeta(lastUpdatedMs: number): Resource['meta'] {
  return { versionId: '1', lastUpdated: formatInstant(lastUpdatedMs) };
}

/** Coding with its members in OpenEMR's order. */
export function buildCoding({ system, code, display }: Code): JsonObject {
  return { system, code, display };
}

/** CodeableConcept of one coding or several. */
export function buildConcept(...codes: Code[]): JsonObject {
  return { coding: codes.map(buildCoding) };
}

/** The concept that stands for a value that was not recorded. */
export const UNKNOWN_CONCEPT: JsonObject = buildConcept({
  system: CODE_SYSTEM.dataAbsentReason,
  code: 'unknown',
  display: 'Unknown',
});

/** Reference that names the type beside the relative URL. */
export function buildReference(type: string, id: string, display?: string): JsonObject {
  return { reference: `${type}/${id}`, type, display };
}

/** Quantity in UCUM. `unit` is what people read, `code` the UCUM code; default: the same. */
export function buildQuantity(value: number, unit: string, code = unit): JsonObject {
  return { value, unit, system: CODE_SYSTEM.ucum, code };
}

/** Generated narrative around a plain text. */
export function buildNarrative(text: string): JsonObject {
  return {
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml"> <p>${escapeMarkup(text)}</p></div>`,
  };
}

/** ContactPoint with its members in OpenEMR's order. */
export function buildContactPoint(system: string, value: string, use: string): JsonObject {
  return { system, value, use };
}

/** A postal address as OpenEMR's tables hold it. */
export interface PostalAddress {
  street?: string;
  city?: string;
  state?: string;
  postalCode?: string;
  country?: string;
}

/**
 * Address, or undefined when no part of it is known.
 *
 * @param head members before the lines: `use` and `type` where the table has them
 * @param sinceMs start of its period, milliseconds since the epoch
 */
export function buildAddress(
  address: PostalAddress,
  sinceMs: number,
  head: JsonObject = {},
): JsonObject | undefined {
  const { street, city, state, postalCode, country } = address;
  if ([street, city, state, postalCode, country].every((part) => part === undefined)) {
    return undefined;
  }
  return {
    ...head,
    line: street === undefined ? undefined : [street],
    city,
    state,
    postalCode,
    country,
    period: { start: formatInstantMilliseconds(sinceMs) },
  };
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
