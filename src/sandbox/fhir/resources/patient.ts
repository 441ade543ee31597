/** Patient: a row of `patient_data` as a resource, and a posted resource as a row. */
import {
  CODE_SYSTEM,
  UNKNOWN_CONCEPT,
  buildAddress,
  buildCoding,
  buildConcept,
  buildContactPoint,
  buildMeta,
  buildNarrative,
} from '../resource.ts';
import type { Code, Json, JsonObject, PostalAddress, Resource } from '../resource.ts';
import { asArray, asObject, asString } from './parse.ts';

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';

/** What OpenEMR keeps of a patient, as far as FHIR shows it. */
export interface PatientRow {
  id: string;
  lastUpdatedMs: number;
  /** External id; OpenEMR shows it as the identifier of type `PT`. */
  publicId: string;
  family: string;
  given: readonly string[];
  /** `male`, `female` or `unknown`. */
  gender: string;
  /** `YYYY-MM-DD`. */
  birthDate: string;
  /** When the patient died, milliseconds since the epoch. */
  diedAtMs?: number;
  phoneHome?: string;
  phoneWork?: string;
  phoneMobile?: string;
  email?: string;
  address?: PostalAddress;
  race?: Code;
  ethnicity?: Code;
  language?: Code;
}

/** The resource that shows a row. */
export function buildPatient(row: PatientRow): Resource {
  const { given, family } = row;
  const address = buildAddress(row.address ?? {}, row.lastUpdatedMs, { use: 'home', type: 'both' });
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'Patient',
    text: buildNarrative([given[0], family].join(' ')),
    extension: extensions(row),
    identifier: [
      {
        use: 'official',
        type: buildConcept({ system: CODE_SYSTEM.identifierType, code: 'PT' }),
        system: CODE_SYSTEM.identifierType,
        value: row.publicId,
      },
    ],
    active: true,
    name: [{ use: 'official', family, given }],
    telecom: contactPoints(row),
    gender: row.gender,
    birthDate: row.birthDate,
    ...(row.diedAtMs === undefined
      ? { deceasedBoolean: false }
      : { deceasedDateTime: buildMeta(row.diedAtMs).lastUpdated }),
    address: address === undefined ? undefined : [address],
    communication: [{ language: language(row.language) }],
  };
}

/** The parts of a row that a posted or stored resource has. */
export function parsePatient(resource: JsonObject): Partial<PatientRow> {
  const row: Partial<PatientRow> = {};
  const names = asArray(resource.name).map(asObject);
  const name = names.find((candidate) => candidate.use === 'official') ?? {};
  const family = asString(name.family);
  const given = asArray(name.given).flatMap((part) => asString(part) ?? []);
  if (family !== undefined) row.family = family;
  if (given.length > 0) row.given = given;
  const gender = asString(resource.gender);
  if (gender !== undefined) row.gender = gender;
  const birthDate = asString(resource.birthDate);
  if (birthDate !== undefined) row.birthDate = birthDate;
  const address = parseAddress(asObject(asArray(resource.address)[0]));
  if (address !== undefined) row.address = address;
  for (const identifier of asArray(resource.identifier).map(asObject)) {
    const codes = asArray(asObject(identifier.type).coding).map((coding) => asObject(coding).code);
    const value = asString(identifier.value);
    if (codes.includes('PT') && value !== undefined) row.publicId = value;
  }
  return { ...row, ...parseContactPoints(resource.telecom), ...parseDemographics(resource) };
}

function extensions(row: PatientRow): JsonObject[] {
  const birthSex = { male: 'M', female: 'F' }[row.gender] ?? 'UNK';
  const unknown = { system: CODE_SYSTEM.nullFlavor, code: 'UNK', display: 'Unknown' };
  return [
    { valueCode: birthSex, url: `${US_CORE}/us-core-birthsex` },
    demographic(row.race ?? unknown, `${US_CORE}/us-core-race`),
    ...(row.ethnicity === undefined
      ? []
      : [demographic(row.ethnicity, `${US_CORE}/us-core-ethnicity`)]),
  ];
}

function demographic(code: Code, url: string): JsonObject {
  return {
    extension: [
      { valueCoding: buildCoding(code), url: 'ombCategory' },
      { valueString: code.display, url: 'text' },
    ],
    url,
  };
}

function contactPoints(row: PatientRow): JsonObject[] | undefined {
  const { phoneHome, phoneWork, phoneMobile, email } = row;
  const points = [
    ...(phoneHome === undefined ? [] : [buildContactPoint('phone', phoneHome, 'home')]),
    ...(phoneWork === undefined ? [] : [buildContactPoint('phone', phoneWork, 'work')]),
    ...(phoneMobile === undefined ? [] : [buildContactPoint('phone', phoneMobile, 'mobile')]),
    ...(email === undefined ? [] : [buildContactPoint('email', email, 'home')]),
  ];
  return points.length === 0 ? undefined : points;
}

function language(code: Code | undefined): JsonObject {
  return code === undefined ? UNKNOWN_CONCEPT : { coding: [buildCoding(code)], text: code.display };
}

/** The address of a posted resource; undefined when it names no part. */
export function parseAddress(address: JsonObject): PostalAddress | undefined {
  const street = asArray(address.line).flatMap((line) => asString(line) ?? []);
  const parts = {
    ...(street.length === 0 ? {} : { street: street.join('\n') }),
    ...member('city', address.city),
    ...member('state', address.state),
    ...member('postalCode', address.postalCode),
    ...member('country', address.country),
  };
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function parseContactPoints(telecom: Json | undefined): Partial<PatientRow> {
  const row: Partial<PatientRow> = {};
  for (const { system, use, value } of asArray(telecom).map(asObject)) {
    const text = asString(value);
    if (text === undefined) continue;
    if (system === 'email') row.email = text;
    else if (system === 'phone' && use === 'home') row.phoneHome = text;
    else if (system === 'phone' && use === 'mobile') row.phoneMobile = text;
    else if (system === 'phone') row.phoneWork = text;
  }
  return row;
}

function parseDemographics(resource: JsonObject): Partial<PatientRow> {
  const row: Partial<PatientRow> = {};
  for (const { url, extension } of asArray(resource.extension).map(asObject)) {
    const code = parseCode(asObject(asArray(extension).map(asObject)[0]).valueCoding);
    if (code === undefined || code.code === 'UNK') continue;
    if (url === `${US_CORE}/us-core-race`) row.race = code;
    if (url === `${US_CORE}/us-core-ethnicity`) row.ethnicity = code;
  }
  const spoken = asObject(asObject(asArray(resource.communication)[0]).language);
  const code = parseCode(asArray(spoken.coding)[0]);
  if (code !== undefined && code.code !== 'unknown') row.language = code;
  return row;
}

function parseCode(coding: Json | undefined): Code | undefined {
  const { system, code, display } = asObject(coding);
  if (typeof system !== 'string' || typeof code !== 'string') return undefined;
  return { system, code, ...(typeof display === 'string' ? { display } : {}) };
}

function member(name: string, value: Json | undefined): { [name: string]: string } {
  const text = asString(value);
  return text === undefined ? {} : { [name]: text };
}
