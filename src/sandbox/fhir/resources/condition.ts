/** Condition: a problem of the patient's list (`lists`, type `medical_problem`) as a resource. */
import {
  CODE_SYSTEM,
  buildConcept,
  buildMeta,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { Code, Resource } from '../resource.ts';

/** What OpenEMR keeps of a problem, as far as FHIR shows it. */
export interface ConditionRow {
  id: string;
  lastUpdatedMs: number;
  patientId: string;
  encounterId: string;
  /** Codes of the same problem, such as SNOMED CT and ICD-10-CM. */
  codes: readonly Code[];
  onsetMs: number;
  /** When it ended; undefined while it lasts. */
  resolvedMs?: number;
}

/** The resource that shows a row. */
export function buildCondition(row: ConditionRow): Resource {
  const lasts = row.resolvedMs === undefined;
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'Condition',
    clinicalStatus: buildConcept({
      system: CODE_SYSTEM.conditionClinical,
      code: lasts ? 'active' : 'resolved',
      display: lasts ? 'Active' : 'Resolved',
    }),
    verificationStatus: buildConcept({
      system: CODE_SYSTEM.conditionVerification,
      code: 'confirmed',
      display: 'Confirmed',
    }),
    category: [
      buildConcept({
        system: CODE_SYSTEM.conditionCategory,
        code: 'problem-list-item',
        display: 'Problem List Item',
      }),
    ],
    code: buildConcept(...row.codes),
    subject: buildReference('Patient', row.patientId),
    encounter: buildReference('Encounter', row.encounterId),
    onsetDateTime: formatInstant(row.onsetMs),
    abatementDateTime: row.resolvedMs === undefined ? undefined : formatInstant(row.resolvedMs),
    recordedDate: formatInstant(row.lastUpdatedMs),
  };
}
