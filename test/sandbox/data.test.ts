import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isUuid } from '../../src/sandbox/fhir/ordered-uuid.ts';
import { createRecords } from '../../src/sandbox/fhir/records.ts';
import type { Json, Resource } from '../../src/sandbox/fhir/resource.ts';
import { createRandom } from '../../src/sandbox/fhir/sample/random.ts';
import { loadSampleData } from '../../src/sandbox/fhir/sample/sample-data.ts';
import { RESOURCE_TYPES } from '../../src/sandbox/versions/openemr-7.0.3/resource-types.ts';

const TYPES = [
  'Patient',
  'Observation',
  'Encounter',
  'Condition',
  'MedicationRequest',
  'AllergyIntolerance',
  'Immunization',
  'Practitioner',
  'Organization',
  'DocumentReference',
];
/** Members that have a value in every resource of the type. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  Patient: ['text', 'identifier', 'name', 'gender', 'birthDate', 'address', 'telecom'],
  Observation: ['status', 'category', 'code', 'subject', 'encounter', 'effectiveDateTime'],
  Encounter: ['status', 'class', 'type', 'subject', 'participant', 'period', 'reasonCode'],
  Condition: ['clinicalStatus', 'verificationStatus', 'category', 'code', 'subject'],
  MedicationRequest: ['status', 'intent', 'medicationCodeableConcept', 'subject', 'requester'],
  AllergyIntolerance: ['clinicalStatus', 'code', 'patient', 'reaction'],
  Immunization: ['status', 'vaccineCode', 'patient', 'occurrenceDateTime'],
  Practitioner: ['identifier', 'active', 'name'],
  Organization: ['identifier', 'active', 'type', 'name', 'address'],
  DocumentReference: ['status', 'type', 'category', 'subject', 'content'],
};

const records = createRecords(loadSampleData);
const all = TYPES.flatMap((type) => records.list(type));

describe('sample data', () => {
  test('holds 50 patients and something of every type, less than a megabyte together', () => {
    assert.equal(records.list('Patient').length, 50);
    for (const type of TYPES) assert.ok(records.list(type).length > 0, type);
    assert.ok(JSON.stringify(all).length < 1_000_000);
  });

  test('is the same at every start, ids included', () => {
    const again = createRecords(loadSampleData);
    assert.deepEqual(
      TYPES.flatMap((type) => again.list(type)),
      all,
    );
  });

  test('is made at the first question, not before', () => {
    let loads = 0;
    const lazy = createRecords((empty) => {
      loads += 1;
      loadSampleData(empty);
    });
    assert.equal(loads, 0);
    lazy.list('Patient');
    lazy.find('Patient', 'x');
    assert.equal(loads, 1);
  });

  test('gives every resource an id of its own and the members that its type needs', () => {
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    for (const resource of all) {
      assert.ok(isUuid(resource.id));
      assert.match(resource.meta.lastUpdated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
      for (const member of REQUIRED[resource.resourceType] ?? []) {
        assert.ok(resource[member] !== undefined, `${resource.resourceType}.${member}`);
      }
    }
  });

  test('refers only to what is there', () => {
    let references = 0;
    for (const resource of all) {
      for (const reference of referencesOf(resource)) {
        const [type = '', id = ''] = reference.split('/');
        assert.ok(records.find(type, id) !== undefined, `${resource.resourceType}: ${reference}`);
        references += 1;
      }
    }
    assert.ok(references > all.length);
  });

  test('has a stored file behind every document', () => {
    for (const resource of records.list('DocumentReference')) {
      const [, id] = /"url":"\/fhir\/Binary\/(\d+)"/.exec(JSON.stringify(resource)) ?? [];
      const document = records.findDocument(Number(id));
      assert.equal(document?.mimeType, 'text/plain');
      assert.match(document?.content ?? '', /made up/);
    }
  });

  test('lists patients in the order of their creation, no name twice', () => {
    const patients = records.list('Patient');
    const names = patients.map(({ name }) => JSON.stringify(name));
    assert.equal(new Set(names).size, names.length);
    const numbers = patients.map(
      ({ identifier }) => /"value":"(\d+)"/.exec(JSON.stringify(identifier))?.[1],
    );
    assert.deepEqual(
      numbers,
      patients.map((_, index) => String(index + 1)),
    );
  });

  test('keeps blood pressure, weight and body mass index plausible', () => {
    let judged = 0;
    for (const observation of records.list('Observation')) {
      const text = JSON.stringify(observation);
      const values = [...text.matchAll(/"valueQuantity":\{"value":([\d.]+)/g)].map((m) =>
        Number(m[1]),
      );
      if (text.includes('"85354-9"')) {
        const [systolic = 0, diastolic = 0] = values;
        assert.ok(systolic > 80 && systolic < 180 && diastolic > 45 && diastolic < systolic);
        judged += 1;
      }
      if (text.includes('"39156-5"')) assert.ok((values[0] ?? 0) > 8 && (values[0] ?? 0) < 45);
    }
    assert.ok(judged > 50, `${judged} blood pressures`);
  });

  test('lives only in types that the API knows', () => {
    const known = new Set(RESOURCE_TYPES.map(({ name }) => name));
    for (const type of TYPES) assert.ok(known.has(type));
  });
});

describe('records', () => {
  test('finds an id in any letter case', () => {
    const [patient] = records.list('Patient');
    assert.ok(patient !== undefined);
    assert.equal(records.find('Patient', patient.id.toUpperCase()), patient);
    assert.equal(records.find('Encounter', patient.id), undefined);
  });

  test('replaces a resource in its place and forgets all when cleared', () => {
    const fresh = createRecords(loadSampleData);
    const [first] = fresh.list('Patient');
    assert.ok(first !== undefined);
    fresh.put({ ...first, gender: 'unknown' });
    assert.equal(fresh.list('Patient').length, 50);
    assert.equal(fresh.list('Patient')[0]?.gender, 'unknown');
    const { id } = fresh.addDocument({ fileName: 'a', mimeType: 'text/plain', content: '' });
    fresh.clear();
    assert.deepEqual(fresh.list('Patient'), []);
    assert.equal(fresh.findDocument(id), undefined);
    const next = fresh.addDocument({ fileName: 'b', mimeType: 'text/plain', content: '' });
    assert.equal(next.id, id + 1);
  });
});

test('seeded choices repeat with the seed and stay in their bounds', () => {
  const draw = (seed: number): number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 500 }, () => random.around(10, 2));
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  for (const value of draw(3)) assert.ok(value >= 6 && value <= 14);
  assert.throws(() => createRandom(1).pick([]), /nothing to pick from/);
});

function referencesOf(value: Json | Resource | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'reference' && typeof member === 'string' ? [member] : referencesOf(member as Json),
  );
}
