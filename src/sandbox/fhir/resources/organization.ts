/** Organization: a row of `facility` as a resource, and a posted resource as a row. */
import {
  CODE_SYSTEM,
  buildAddress,
  buildConcept,
  buildContactPoint,
  buildMeta,
  buildNarrative,
} from '../resource.ts';
import type { JsonObject, PostalAddress, Resource } from '../resource.ts';
import { asArray, asObject, asString } from './parse.ts';
import { parseAddress } from './patient.ts';

/** What OpenEMR keeps of a facility, as far as FHIR shows it. */
export interface OrganizationRow {
  id: string;
  lastUpdatedMs: number;
  name: string;
  /** National Provider Identifier. */
  npi?: string;
  phone?: string;
  email?: string;
  address?: PostalAddress;
}

/** The resource that shows a row. */
export function buildOrganization(row: OrganizationRow): Resource {
  const address = buildAddress(row.address ?? {}, row.lastUpdatedMs);
  const telecom = [
    ...(row.phone === undefined ? [] : [buildContactPoint('phone', row.phone, 'work')]),
    ...(row.email === undefined ? [] : [buildContactPoint('email', row.email, 'work')]),
  ];
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'Organization',
    text: buildNarrative(row.name),
    identifier: row.npi === undefined ? undefined : [{ system: CODE_SYSTEM.npi, value: row.npi }],
    active: true,
    type: [
      buildConcept({
        system: CODE_SYSTEM.organizationType,
        code: 'prov',
        display: 'Healthcare Provider',
      }),
    ],
    name: row.name,
    telecom: telecom.length === 0 ? undefined : telecom,
    address: address === undefined ? undefined : [address],
  };
}

/** The parts of a row that a posted or stored resource has. */
export function parseOrganization(resource: JsonObject): Partial<OrganizationRow> {
  const row: Partial<OrganizationRow> = {};
  const name = asString(resource.name);
  if (name !== undefined) row.name = name;
  for (const { system, value } of asArray(resource.identifier).map(asObject)) {
    const npi = asString(value);
    if (system === CODE_SYSTEM.npi && npi !== undefined) row.npi = npi;
  }
  for (const { system, value } of asArray(resource.telecom).map(asObject)) {
    const text = asString(value);
    if (text === undefined) continue;
    if (system === 'email') row.email = text;
    else if (system === 'phone') row.phone = text;
  }
  const address = parseAddress(asObject(asArray(resource.address)[0]));
  if (address !== undefined) row.address = address;
  return row;
}
