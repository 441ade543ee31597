/** AllergyIntolerance: a row of `lists` (type `allergy`) as a resource. */
import { CODE_SYSTEM, buildConcept, buildMeta, buildNarrative } from '../resource.ts';
import type { Code, Resource } from '../resource.ts';

/** What OpenEMR keeps of an allergy, as far as FHIR shows it. */
export interface AllergyIntoleranceRow {
  id: string;
  lastUpdatedMs: number;
  patientId: string;
  practitionerId: string;
  criticality: 'low' | 'high';
  /** What the patient does not bear. */
  substance: Code;
  /** What happens then. */
  reaction: Code;
}

/** The resource that shows a row. */
export function buildAllergyIntolerance(row: AllergyIntoleranceRow): Resource {
  return {
    id: row.id,
    meta: buildMeta(row.lastUpdatedMs),
    resourceType: 'AllergyIntolerance',
    text: { ...buildNarrative(row.substance.display ?? ''), status: 'additional' },
    clinicalStatus: buildConcept({
      system: CODE_SYSTEM.allergyClinical,
      code: 'active',
      display: 'Active',
    }),
    verificationStatus: buildConcept({
      system: CODE_SYSTEM.allergyVerification,
      code: 'confirmed',
      display: 'Confirmed',
    }),
    category: ['medication'],
    criticality: row.criticality,
    code: buildConcept(row.substance),
    patient: { reference: `Patient/${row.patientId}` },
    recorder: { reference: `Practitioner/${row.practitionerId}` },
    reaction: [{ manifestation: [{ ...buildConcept(row.reaction), text: row.reaction.display }] }],
  };
}
