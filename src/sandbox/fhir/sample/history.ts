import type { Records } from '../records.ts';
/** A patient's history: visits with vital signs and results, problems, medicines, allergies, vaccines, a note. */
import { CODE_SYSTEM } from '../resource.ts';
import { buildAllergyIntolerance } from '../resources/allergy-intolerance.ts';
import { buildCondition } from '../resources/condition.ts';
import { buildDocumentReference } from '../resources/document-reference.ts';
import { buildEncounter } from '../resources/encounter.ts';
import { buildImmunization } from '../resources/immunization.ts';
import { buildMedicationRequest } from '../resources/medication-request.ts';
import { buildLaboratoryResult } from '../resources/observation.ts';
import { ALLERGIES, CHECK_UP_RESULTS, PROBLEMS, VACCINES } from './catalogue.ts';
import type { ExpectedResult, Problem } from './catalogue.ts';
import type { Random } from './random.ts';
import { buildVitalSigns } from './vital-signs.ts';
import type { Body } from './vital-signs.ts';

/** Everything that one sample is made with. */
export interface Sample {
  random: Random;
  records: Records;
  organizationId: string;
  practitionerIds: readonly string[];
  lastDayMs: number;
  /** A new id for something that was created then, milliseconds since the epoch. */
  createId: (createdAtMs: number) => string;
}

/** The patient whose history it is. */
export interface HistorySubject {
  id: string;
  /** Years on the last day. */
  age: number;
  registeredMs: number;
  body: Body;
}

interface Visit {
  id: string;
  startMs: number;
  practitionerId: string;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const QUARTER_HOUR_MS = 900_000;
const NOTE = { code: '34109-9', display: 'Note' };
const NOTE_CATEGORY = { code: 'clinical-note', display: 'Clinical Note' };

/** Adds one or two visits and what belongs to them. */
export function addHistory(sample: Sample, subject: HistorySubject): void {
  const { random } = sample;
  const problems = chooseProblems(sample, subject.age);
  const visits = random.chance(0.4) ? 2 : 1;
  for (let number = 1; number <= visits; number += 1) {
    const share = (number - random.next()) / visits;
    const problem = problems[(number - 1) % Math.max(1, problems.length)];
    const visit = addVisit(sample, subject, share, problem?.reason ?? 'Annual check-up');
    addObservations(sample, subject, visit, problem?.results ?? CHECK_UP_RESULTS);
    if (number === 1) addBackground(sample, subject, visit);
    if (problem !== undefined && number <= problems.length) {
      addProblem(sample, subject, visit, problem);
    }
    if (number === visits && random.chance(0.6)) addNote(sample, subject, visit, problem);
  }
}

function chooseProblems({ random }: Sample, age: number): readonly Problem[] {
  const possible = PROBLEMS.filter((problem) => problem.fromAge <= age);
  const count = Math.min(possible.length, random.integer(0, age > 50 ? 3 : 2));
  const chosen = new Set<Problem>();
  while (chosen.size < count) chosen.add(random.pick(possible));
  return [...chosen];
}

/** @param share where between registration and the last day the visit lies, 0 to 1 */
function addVisit(sample: Sample, subject: HistorySubject, share: number, reason: string): Visit {
  const { random, records, lastDayMs } = sample;
  const day = subject.registeredMs + (lastDayMs - subject.registeredMs) * share;
  const startMs =
    Math.floor(day / DAY_MS) * DAY_MS + 14 * HOUR_MS + random.integer(0, 23) * QUARTER_HOUR_MS;
  const visit = {
    id: sample.createId(startMs),
    startMs,
    practitionerId: random.pick(sample.practitionerIds),
  };
  records.put(
    buildEncounter({
      ...visit,
      lastUpdatedMs: startMs + HOUR_MS,
      patientId: subject.id,
      organizationId: sample.organizationId,
      class: { code: 'AMB', display: 'ambulatory' },
      reason,
    }),
  );
  return visit;
}

function addObservations(
  sample: Sample,
  subject: HistorySubject,
  visit: Visit,
  results: readonly ExpectedResult[],
): void {
  const { random, records } = sample;
  const row = { patientId: subject.id, encounterId: visit.id };
  const measuredMs = visit.startMs + QUARTER_HOUR_MS;
  const vitalSigns = buildVitalSigns(
    random,
    subject.body,
    { ...row, effectiveMs: measuredMs },
    () => sample.createId(measuredMs),
  );
  for (const observation of vitalSigns) records.put(observation);
  const reportedMs = visit.startMs + DAY_MS;
  for (const { test, middle, spread } of results) {
    records.put(
      buildLaboratoryResult(
        {
          ...row,
          id: sample.createId(reportedMs),
          practitionerId: visit.practitionerId,
          effectiveMs: reportedMs,
          codes: [test.term],
        },
        {
          value: Number(random.around(middle, spread).toFixed(test.digits)),
          unit: test.unit,
          range: test.range,
        },
      ),
    );
  }
}

function addProblem(sample: Sample, subject: HistorySubject, visit: Visit, problem: Problem): void {
  const { records, createId } = sample;
  const row = { patientId: subject.id, encounterId: visit.id };
  const resolvedMs = Math.min(visit.startMs + 14 * DAY_MS, sample.lastDayMs);
  records.put(
    buildCondition({
      ...row,
      id: createId(visit.startMs),
      lastUpdatedMs: visit.startMs,
      codes: problem.codes,
      onsetMs: visit.startMs - 7 * DAY_MS,
      ...(problem.lasting ? {} : { resolvedMs }),
    }),
  );
  if (problem.medicine === undefined) return;
  const { instructions, ...medication } = problem.medicine;
  records.put(
    buildMedicationRequest({
      ...row,
      id: createId(visit.startMs),
      authoredMs: visit.startMs + QUARTER_HOUR_MS,
      practitionerId: visit.practitionerId,
      status: problem.lasting ? 'active' : 'completed',
      medication,
      instructions,
    }),
  );
}

/** Allergies and vaccines, asked for at the first visit. */
function addBackground(sample: Sample, subject: HistorySubject, visit: Visit): void {
  const { random, records, createId } = sample;
  const row = { patientId: subject.id, practitionerId: visit.practitionerId };
  if (random.chance(0.35)) {
    const { substance, reaction, criticality } = random.pick(ALLERGIES);
    records.put(
      buildAllergyIntolerance({
        ...row,
        id: createId(visit.startMs),
        lastUpdatedMs: visit.startMs,
        criticality,
        substance: { system: CODE_SYSTEM.rxnorm, ...substance },
        reaction: { system: CODE_SYSTEM.snomed, ...reaction },
      }),
    );
  }
  for (const { fromAge, ...vaccine } of VACCINES) {
    if (fromAge > subject.age || random.chance(0.5)) continue;
    records.put(
      buildImmunization({
        ...row,
        id: createId(visit.startMs),
        givenMs: visit.startMs + QUARTER_HOUR_MS,
        vaccine,
        lotNumber: `L${random.integer(10_000, 99_999)}`,
      }),
    );
  }
}

function addNote(
  sample: Sample,
  subject: HistorySubject,
  visit: Visit,
  problem: Problem | undefined,
): void {
  const { records, createId, organizationId } = sample;
  const createdMs = visit.startMs + HOUR_MS;
  const day = new Date(visit.startMs).toISOString().slice(0, 10);
  const findings =
    problem === undefined
      ? 'No complaints. Examination without findings.'
      : `${problem.codes[0]?.display ?? ''}: treatment reviewed with the patient.`;
  const document = records.addDocument({
    fileName: `note-${day}.txt`,
    mimeType: 'text/plain',
    content: `Example Family Practice\nVisit of ${day}\n\n${findings}\nThis note is made up.\n`,
  });
  records.put(
    buildDocumentReference({
      id: createId(createdMs),
      documentId: document.id,
      mimeType: document.mimeType,
      createdMs,
      patientId: subject.id,
      encounterId: visit.id,
      practitionerId: visit.practitionerId,
      organizationId,
      type: NOTE,
      category: NOTE_CATEGORY,
    }),
  );
}
