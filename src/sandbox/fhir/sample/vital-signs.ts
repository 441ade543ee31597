/** One set of vital signs as OpenEMR shows it: a panel, and an Observation for each sign. */
import type { Resource } from '../resource.ts';
import {
  buildBloodPressure,
  buildVitalSign,
  buildVitalSignsPanel,
} from '../resources/observation.ts';
import type { Measurement, ObservationRow } from '../resources/observation.ts';
import type { Random } from './random.ts';

/** What does not change from visit to visit. */
export interface Body {
  /** Inches. */
  height: number;
  /** Pounds at the first visit. */
  weight: number;
  /** mm[Hg]. */
  systolic: number;
}

const PANEL = {
  code: '85353-1',
  display: 'Vital signs, weight, height, head circumference, oxygen saturation and BMI panel',
};
const BLOOD_PRESSURE = { code: '85354-9', display: 'Blood pressure systolic and diastolic' };
const OXYGEN_BY_OXIMETRY = {
  code: '59408-5',
  display: 'Oxygen saturation in Arterial blood by Pulse oximetry',
};
/** Kilograms per square metre from pounds per square inch of height. */
const BMI_FACTOR = 703;

/** A body to measure. @param age years */
export function buildBody(random: Random, gender: string, age: number): Body {
  const grown = Math.min(1, 0.42 + age / 31);
  const height = random.around(gender === 'male' ? 69 : 64, 3) * grown;
  const bmi = random.around(age < 18 ? 18 : 27, 4);
  return {
    height: Math.round(height),
    weight: Math.round((bmi * Math.round(height) ** 2) / BMI_FACTOR),
    systolic: Math.round(random.around(104 + age * 0.35, 8)),
  };
}

/**
 * @param row what all Observations of the set share, without id and code
 * @param createId makes the id of one more Observation
 */
export function buildVitalSigns(
  random: Random,
  body: Body,
  row: Omit<ObservationRow, 'id' | 'codes'>,
  createId: () => string,
): Resource[] {
  const weight = Math.round(random.around(body.weight, 2));
  const bmi = Number(((weight * BMI_FACTOR) / body.height ** 2).toFixed(1));
  const signs: [code: string, display: string, measured: Measurement][] = [
    ['9279-1', 'Respiratory Rate', { value: random.integer(12, 18), unit: '/min' }],
    ['8867-4', 'Heart rate', { value: random.integer(58, 92), unit: '/min' }],
    [
      '2708-6',
      'Oxygen saturation in Arterial blood',
      { value: random.integer(95, 100), unit: '%' },
    ],
    [
      '8310-5',
      'Body Temperature',
      { value: Number(random.around(98.2, 0.5).toFixed(1)), unit: 'degF', code: '[degF]' },
    ],
    ['8302-2', 'Body height', { value: body.height, unit: 'in_i', code: '[in_i]' }],
    ['29463-7', 'Body weight', { value: weight, unit: 'lb_av', code: '[lb_av]' }],
    ['39156-5', 'Body mass index (BMI) [Ratio]', { value: bmi, unit: 'kg/m2' }],
  ];
  const panelId = createId();
  const observations = signs.map(([code, display, measured]) => {
    const codes = [{ code, display }, ...(code === '2708-6' ? [OXYGEN_BY_OXIMETRY] : [])];
    return buildVitalSign({ ...row, id: createId(), codes }, measured);
  });
  const systolic = Math.round(random.around(body.systolic, 6));
  const pressure = buildBloodPressure(
    { ...row, id: createId(), codes: [BLOOD_PRESSURE] },
    systolic,
    Math.round(systolic * random.around(0.64, 0.03)),
  );
  const members = [
    ...observations.map(({ id }, index) => ({ id, display: signs[index]?.[1] ?? '' })),
    { id: pressure.id, display: BLOOD_PRESSURE.display },
  ];
  const panel = buildVitalSignsPanel({ ...row, id: panelId, codes: [PANEL] }, members);
  return [panel, ...observations, pressure];
}
