/** Encounter: a row of `form_encounter` as a resource. OpenEMR knows one type and one status. */
import {
  CODE_SYSTEM,
  buildConcept,
  buildMeta,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { Code, Resource } from '../resource.ts';

const CHECK_UP: Code = {
  system: CODE_SYSTEM.snomed,
  code: '185349003',
  display: 'Encounter for check up (procedure)',
};

/** What OpenEMR keeps of an encounter, as far as FHIR shows it. */
export interface EncounterRow {
  id: string;
  lastUpdatedMs: number;
  patientId: string;
  practitionerId: string;
  organizationId: string;
  /** `AMB`, `EMER`, `VR` and the like, of v3-ActCode. */
  class: { code: string; display: string };
  startMs: number;
  /** Why the patient came. */
  reason: string;
}

/** The resource that shows a row. */
export function buildEncounter(row: EncounterRow): Resource {
  const period = { start: formatInstant(row.startMs) };
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'Encounter',
    identifier: [{ system: `urn:uuid:${row.id}`, value: row.id }],
    status: 'finished',
    class: { system: CODE_SYSTEM.actCode, code: row.class.code, display: row.class.display },
    type: [buildConcept(CHECK_UP)],
    subject: buildReference('Patient', row.patientId),
    participant: [
      {
        type: [
          buildConcept({
            system: CODE_SYSTEM.participationType,
            code: 'PPRF',
            display: 'Primary Performer',
          }),
        ],
        period,
        individual: buildReference('Practitioner', row.practitionerId),
      },
    ],
    period,
    reasonCode: [{ text: row.reason }],
    serviceProvider: buildReference('Organization', row.organizationId),
  };
}
