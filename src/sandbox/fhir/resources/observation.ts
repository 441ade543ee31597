/** Observation: vital signs (`form_vitals`, one panel with its members) and laboratory results. */
import {
  CODE_SYSTEM,
  buildCoding,
  buildConcept,
  buildMeta,
  buildQuantity,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { Code, JsonObject, Resource } from '../resource.ts';

/** What vital signs and laboratory results have in common. */
export interface ObservationRow {
  id: string;
  patientId: string;
  encounterId: string;
  /** Who measured or ordered it; OpenEMR shows it for laboratory results only. */
  practitionerId?: string;
  /** When it was measured or reported, milliseconds since the epoch. */
  effectiveMs: number;
  /** LOINC code and name; a second coding where OpenEMR gives one. */
  codes: readonly { code: string; display: string }[];
}

/** A measured value: number, unit as people read it, UCUM code. */
export interface Measurement {
  value: number;
  unit: string;
  code?: string;
}

/** The panel that gathers one set of vital signs. */
export function buildVitalSignsPanel(
  row: ObservationRow,
  members: readonly { id: string; display: string }[],
): Resource {
  return {
    ...head(row, 'vital-signs'),
    hasMember: members.map(({ id, display }) => buildReference('Observation', id, display)),
  };
}

/** One vital sign with one value. */
export function buildVitalSign(row: ObservationRow, measured: Measurement): Resource {
  return { ...head(row, 'vital-signs'), valueQuantity: quantity(measured) };
}

/** Blood pressure: both values as components. */
export function buildBloodPressure(
  row: ObservationRow,
  systolic: number,
  diastolic: number,
): Resource {
  const component = (code: string, display: string, value: number): JsonObject => ({
    code: buildConcept({ system: CODE_SYSTEM.loinc, code, display }),
    valueQuantity: quantity({ value, unit: 'mm[Hg]' }),
  });
  return {
    ...head(row, 'vital-signs'),
    component: [
      component('8480-6', 'Systolic blood pressure', systolic),
      component('8462-4', 'Diastolic blood pressure', diastolic),
    ],
  };
}

/** One laboratory result, with its reference range when there is one. */
export function buildLaboratoryResult(
  row: ObservationRow,
  result: Measurement & { range?: readonly [low: number, high: number] },
): Resource {
  const { range, unit } = result;
  return {
    ...head(row, 'laboratory'),
    performer:
      row.practitionerId === undefined
        ? undefined
        : [buildReference('Practitioner', row.practitionerId)],
    valueQuantity: quantity(result),
    referenceRange:
      range === undefined
        ? undefined
        : [{ low: buildQuantity(range[0], unit), high: buildQuantity(range[1], unit) }],
  };
}

function head(row: ObservationRow, category: 'vital-signs' | 'laboratory'): Resource {
  const categoryCode: Code =
    category === 'laboratory'
      ? { system: CODE_SYSTEM.observationCategory, code: category, display: 'Laboratory' }
      : { system: CODE_SYSTEM.observationCategory, code: category };
  return {
    id: row.id,
    meta: buildMeta(row.effectiveMs),
    resourceType: 'Observation',
    status: 'final',
    category: [buildConcept(categoryCode)],
    code: {
      coding: row.codes.map((code) => buildCoding({ system: CODE_SYSTEM.loinc, ...code })),
    },
    subject: buildReference('Patient', row.patientId),
    encounter: buildReference('Encounter', row.encounterId),
    effectiveDateTime: formatInstant(row.effectiveMs),
  };
}

function quantity({ value, unit, code }: Measurement): JsonObject {
  return buildQuantity(value, unit, code);
}
