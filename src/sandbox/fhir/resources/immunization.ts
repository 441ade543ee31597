/** Immunization: a row of `immunizations` as a resource. */
import {
  CODE_SYSTEM,
  buildConcept,
  buildMeta,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { Resource } from '../resource.ts';

/** What OpenEMR keeps of an immunization, as far as FHIR shows it. */
export interface ImmunizationRow {
  id: string;
  givenMs: number;
  patientId: string;
  practitionerId: string;
  /** CVX code and name. */
  vaccine: { code: string; display: string };
  lotNumber: string;
}

/** The resource that shows a row. */
export function buildImmunization(row: ImmunizationRow): Resource {
  return {
    id: row.id,
    meta: buildMeta(row.givenMs),
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: buildConcept({ system: CODE_SYSTEM.cvx, ...row.vaccine }),
    patient: { reference: `Patient/${row.patientId}` },
    occurrenceDateTime: formatInstant(row.givenMs),
    recorded: formatInstant(row.givenMs),
    primarySource: true,
    lotNumber: row.lotNumber,
    performer: [{ actor: buildReference('Practitioner', row.practitionerId) }],
  };
}
