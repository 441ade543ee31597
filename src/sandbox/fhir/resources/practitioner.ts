/** Practitioner: a row of `users` as a resource, and a posted resource as a row. */
import {
  CODE_SYSTEM,
  buildAddress,
  buildContactPoint,
  buildMeta,
  buildNarrative,
} from '../resource.ts';
import type { JsonObject, PostalAddress, Resource } from '../resource.ts';
import { asArray, asObject, asString } from './parse.ts';
import { parseAddress } from './patient.ts';

/** What OpenEMR keeps of a practitioner, as far as FHIR shows it. */
export interface PractitionerRow {
  id: string;
  lastUpdatedMs: number;
  /** National Provider Identifier. */
  npi: string;
  family: string;
  given: readonly string[];
  /** `Dr.` and the like. */
  title?: string;
  phoneWork?: string;
  email?: string;
  address?: PostalAddress;
}

/** The resource that shows a row. */
export function buildPractitioner(row: PractitionerRow): Resource {
  const address = buildAddress(row.address ?? {}, row.lastUpdatedMs);
  const telecom = [
    ...(row.phoneWork === undefined ? [] : [buildContactPoint('phone', row.phoneWork, 'work')]),
    ...(row.email === undefined ? [] : [buildContactPoint('email', row.email, 'home')]),
  ];
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'Practitioner',
    text: buildNarrative([row.given[0], row.family].join(' ')),
    identifier: [{ system: CODE_SYSTEM.npi, value: row.npi }],
    active: true,
    name: [
      {
        use: 'official',
        family: row.family,
        given: row.given,
        prefix: row.title === undefined ? undefined : [row.title],
      },
    ],
    telecom: telecom.length === 0 ? undefined : telecom,
    address: address === undefined ? undefined : [address],
  };
}

/** The parts of a row that a posted or stored resource has. */
export function parsePractitioner(resource: JsonObject): Partial<PractitionerRow> {
  const row: Partial<PractitionerRow> = {};
  const names = asArray(resource.name).map(asObject);
  const name = names.find((candidate) => candidate.use === 'official') ?? {};
  const family = asString(name.family);
  const given = asArray(name.given).flatMap((part) => asString(part) ?? []);
  const title = asString(asArray(name.prefix)[0]);
  if (family !== undefined) row.family = family;
  if (given.length > 0) row.given = given;
  if (title !== undefined) row.title = title;
  for (const { system, value } of asArray(resource.identifier).map(asObject)) {
    const npi = asString(value);
    if (system === CODE_SYSTEM.npi && npi !== undefined) row.npi = npi;
  }
  for (const { system, value } of asArray(resource.telecom).map(asObject)) {
    const text = asString(value);
    if (text === undefined) continue;
    if (system === 'email') row.email = text;
    else if (system === 'phone') row.phoneWork = text;
  }
  const address = parseAddress(asObject(asArray(resource.address)[0]));
  if (address !== undefined) row.address = address;
  return row;
}
