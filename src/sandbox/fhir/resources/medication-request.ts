/** MedicationRequest: a row of `prescriptions` as a resource. */
import {
  CODE_SYSTEM,
  buildConcept,
  buildMeta,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { Resource } from '../resource.ts';

/** What OpenEMR keeps of a prescription, as far as FHIR shows it. */
export interface MedicationRequestRow {
  id: string;
  authoredMs: number;
  patientId: string;
  encounterId: string;
  practitionerId: string;
  status: 'active' | 'completed' | 'stopped';
  /** RxNorm code and name. */
  medication: { code: string; display: string };
  /** How to take it, in words. */
  instructions: string;
}

/** The resource that shows a row. */
export function buildMedicationRequest(row: MedicationRequestRow): Resource {
  return {
    id: row.id,
    meta: buildMeta(row.authoredMs),
    resourceType: 'MedicationRequest',
    status: row.status,
    intent: 'order',
    category: [
      buildConcept({
        system: CODE_SYSTEM.medicationCategory,
        code: 'community',
        display: 'Home/Community',
      }),
    ],
    reportedBoolean: false,
    medicationCodeableConcept: buildConcept({ system: CODE_SYSTEM.rxnorm, ...row.medication }),
    subject: buildReference('Patient', row.patientId),
    encounter: buildReference('Encounter', row.encounterId),
    authoredOn: formatInstant(row.authoredMs),
    requester: buildReference('Practitioner', row.practitionerId),
    dosageInstruction: [{ text: row.instructions }],
  };
}
