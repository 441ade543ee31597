/**
 * What patients of the sample have: problems with the medicines and tests that go with them,
 * allergies, vaccines. Codes are real ones of SNOMED CT, ICD-10-CM, RxNorm, LOINC and CVX.
 */
import { CODE_SYSTEM } from '../resource.ts';
import type { Code } from '../resource.ts';

/** A code with its words, without its system. */
export interface Term {
  code: string;
  display: string;
}

/** A laboratory test. */
export interface LaboratoryTest {
  term: Term;
  unit: string;
  /** Range of the healthy. */
  range: readonly [low: number, high: number];
  /** Digits after the decimal point. */
  digits: number;
}

/** A test with the results to expect: most within `spread` of `middle`. */
export interface ExpectedResult {
  test: LaboratoryTest;
  middle: number;
  spread: number;
}

/** A problem and what goes with it. */
export interface Problem {
  /** The same problem in SNOMED CT and ICD-10-CM. */
  codes: readonly Code[];
  /** What brings the patient to the practice. */
  reason: string;
  /** Youngest age in years. */
  fromAge: number;
  /** Whether it stays for life. */
  lasting: boolean;
  /** RxNorm term of the medicine, and how to take it. */
  medicine?: Term & { instructions: string };
  results: readonly ExpectedResult[];
}

const MG_PER_DL = 'mg/dL';

const TEST = {
  hba1c: {
    term: { code: '4548-4', display: 'Hemoglobin A1c/Hemoglobin.total in Blood' },
    unit: '%',
    range: [4, 5.6],
    digits: 1,
  },
  glucose: {
    term: { code: '2345-7', display: 'Glucose [Mass/volume] in Serum or Plasma' },
    unit: MG_PER_DL,
    range: [70, 99],
    digits: 0,
  },
  creatinine: {
    term: { code: '2160-0', display: 'Creatinine [Mass/volume] in Serum or Plasma' },
    unit: MG_PER_DL,
    range: [0.6, 1.3],
    digits: 2,
  },
  cholesterol: {
    term: { code: '2093-3', display: 'Cholesterol [Mass/volume] in Serum or Plasma' },
    unit: MG_PER_DL,
    range: [125, 200],
    digits: 0,
  },
  thyrotropin: {
    term: { code: '3016-3', display: 'Thyrotropin [Units/volume] in Serum or Plasma' },
    unit: 'm[IU]/L',
    range: [0.4, 4.5],
    digits: 2,
  },
  hemoglobin: {
    term: { code: '718-7', display: 'Hemoglobin [Mass/volume] in Blood' },
    unit: 'g/dL',
    range: [12, 17.5],
    digits: 1,
  },
} as const satisfies Record<string, LaboratoryTest>;

/** Results of anyone's check-up. */
export const CHECK_UP_RESULTS: readonly ExpectedResult[] = [
  { test: TEST.hemoglobin, middle: 14.2, spread: 1 },
];

/** Problems that a patient may have. */
export const PROBLEMS: readonly Problem[] = [
  {
    codes: problemCodes(
      ['59621000', 'Essential hypertension'],
      ['I10', 'Essential (primary) hypertension'],
    ),
    reason: 'Blood pressure follow-up',
    fromAge: 35,
    lasting: true,
    medicine: {
      code: '314076',
      display: 'lisinopril 10 MG Oral Tablet',
      instructions: 'Take 1 tablet by mouth once daily',
    },
    results: [{ test: TEST.creatinine, middle: 0.95, spread: 0.2 }],
  },
  {
    codes: problemCodes(
      ['44054006', 'Diabetes mellitus type 2'],
      ['E11.9', 'Type 2 diabetes mellitus without complications'],
    ),
    reason: 'Diabetes follow-up',
    fromAge: 40,
    lasting: true,
    medicine: {
      code: '860975',
      display: '24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet',
      instructions: 'Take 1 tablet by mouth twice daily with meals',
    },
    results: [
      { test: TEST.hba1c, middle: 7.2, spread: 0.8 },
      { test: TEST.glucose, middle: 142, spread: 24 },
    ],
  },
  {
    codes: problemCodes(['55822004', 'Hyperlipidemia'], ['E78.5', 'Hyperlipidemia, unspecified']),
    reason: 'Cholesterol follow-up',
    fromAge: 35,
    lasting: true,
    medicine: {
      code: '617310',
      display: 'atorvastatin 20 MG Oral Tablet',
      instructions: 'Take 1 tablet by mouth at bedtime',
    },
    results: [{ test: TEST.cholesterol, middle: 221, spread: 22 }],
  },
  {
    codes: problemCodes(['40930008', 'Hypothyroidism'], ['E03.9', 'Hypothyroidism, unspecified']),
    reason: 'Thyroid follow-up',
    fromAge: 25,
    lasting: true,
    medicine: {
      code: '10582',
      display: 'levothyroxine',
      instructions: 'Take 50 micrograms by mouth every morning before breakfast',
    },
    results: [{ test: TEST.thyrotropin, middle: 4.8, spread: 1.6 }],
  },
  {
    codes: problemCodes(['195967001', 'Asthma'], ['J45.909', 'Unspecified asthma, uncomplicated']),
    reason: 'Asthma review',
    fromAge: 5,
    lasting: true,
    medicine: {
      code: '435',
      display: 'albuterol',
      instructions: 'Inhale 2 puffs every 4 to 6 hours as needed',
    },
    results: [],
  },
  {
    codes: problemCodes(
      ['444814009', 'Viral sinusitis'],
      ['J01.90', 'Acute sinusitis, unspecified'],
    ),
    reason: 'Cough and congestion',
    fromAge: 3,
    lasting: false,
    medicine: {
      code: '161',
      display: 'acetaminophen',
      instructions: 'Take as directed every 6 hours as needed',
    },
    results: [],
  },
  {
    codes: problemCodes(
      ['283371005', 'Laceration of forearm'],
      ['S51.819A', 'Laceration without foreign body of unspecified forearm, initial encounter'],
    ),
    reason: 'Cut on the forearm',
    fromAge: 6,
    lasting: false,
    results: [],
  },
];

/** Allergies to medicines (RxNorm), with what happens (SNOMED CT). */
export const ALLERGIES: readonly {
  substance: Term;
  reaction: Term;
  criticality: 'low' | 'high';
}[] = [
  {
    substance: { code: '7980', display: 'penicillin G' },
    reaction: { code: '247472004', display: 'Wheal' },
    criticality: 'low',
  },
  {
    substance: { code: '10831', display: 'sulfamethoxazole / trimethoprim' },
    reaction: { code: '271807003', display: 'Eruption of skin' },
    criticality: 'low',
  },
  {
    substance: { code: '1191', display: 'aspirin' },
    reaction: { code: '41291007', display: 'Angioedema' },
    criticality: 'high',
  },
  {
    substance: { code: '2670', display: 'codeine' },
    reaction: { code: '422587007', display: 'Nausea' },
    criticality: 'low',
  },
];

/** Vaccines (CVX), and from what age in years they are given. */
export const VACCINES: readonly (Term & { fromAge: number })[] = [
  { code: '150', display: 'Influenza, split virus, quadrivalent, PF', fromAge: 1 },
  { code: '115', display: 'Tdap', fromAge: 11 },
  { code: '03', display: 'MMR', fromAge: 1 },
  { code: '187', display: 'zoster recombinant', fromAge: 50 },
  { code: '133', display: 'Pneumococcal conjugate PCV 13', fromAge: 65 },
];

function problemCodes(
  [snomed, name]: readonly [string, string],
  [icd10, icd10Name]: readonly [string, string],
): readonly Code[] {
  return [
    { system: CODE_SYSTEM.snomed, code: snomed, display: name },
    { system: CODE_SYSTEM.icd10, code: icd10, display: icd10Name },
  ];
}
