import assert from 'node:assert/strict';
import { test } from 'node:test';

import { judgeScope } from '../../src/hints/scope-spelling.ts';

/** Scope, what the server is, and the right spelling; `null`: nothing to say, `''`: wrong without a right one. */
const cases: [scope: string, modern: boolean | undefined, right: string | null][] = [
  ['system/Patient.read', false, null],
  ['system/Patient.read', true, null],
  ['system/Patient.rs', true, null],
  ['system/Patient.cruds', true, null],
  ['system/Patient.cud', true, null],
  ['system/Patient.write', true, null],
  ['system/*.$export', false, null],
  ['system/Patient.$export', true, null],
  ['openid', undefined, null],
  ['system/Patient.rs', false, 'system/Patient.read'],
  ['system/Patient.r', false, 'system/Patient.read'],
  ['system/Patient.s', undefined, 'system/Patient.read'],
  [
    'system/Observation.rs?category=laboratory',
    false,
    'system/Observation.read?category=laboratory',
  ],
  ['system/Patient.cruds', false, ''],
  ['system/Patient.write', false, ''],
  ['system/Patient.sr', true, 'system/Patient.rs'],
  ['system/Patient.rr', true, 'system/Patient.r'],
  ['system/Patient.RS', true, 'system/Patient.rs'],
  ['system/Patient.c', true, 'system/Patient.cud'],
  ['system/Patient.cu', true, 'system/Patient.cud'],
  ['system/Patient.reed', true, 'system/Patient.read'],
  ['site:default', true, ''],
  ['site:default', false, null],
  ['system/*.read', false, 'system/Patient.read system/Observation.read …'],
  ['system/*.rs', true, 'system/Patient.read system/Observation.read …'],
  ['system/A.read,system/B.read', false, 'system/A.read system/B.read'],
  ['system/A.read+system/B.read', true, 'system/A.read system/B.read'],
  ['system/A.read\nsystem/B.read', false, 'system/A.read system/B.read'],
];

for (const [scope, modern, right] of cases) {
  const server = modern === undefined ? 'an unknown version' : modern ? '8.0' : '7.0.3';
  test(`${JSON.stringify(scope)} on ${server}: ${right === null ? 'fine' : right || 'has no right spelling'}`, () => {
    const judgement = judgeScope(scope, { modern });
    if (right === null) assert.equal(judgement, undefined);
    else assert.equal(judgement?.right ?? '', right);
  });
}

test('a resource type in another spelling is corrected from what discovery lists, also nested', () => {
  const supported = [['openid', 'system/Patient.read', 'system/AllergyIntolerance.read']];
  assert.equal(
    judgeScope('system/patient.read', { modern: false, supported })?.right,
    'system/Patient.read',
  );
  assert.equal(
    judgeScope('system/allergyintolerance.rs', { modern: false, supported })?.right,
    'system/AllergyIntolerance.read',
  );
  assert.equal(judgeScope('system/Patient.read', { modern: false, supported }), undefined);
});

test('every scope of the recordings that OpenEMR refused with reason is found wrong', () => {
  const refused: [scope: string, modern: boolean][] = [
    ['system/Patient.rs', false],
    ['system/Patient.r', false],
    ['system/*.read', false],
    ['system/Patient.write', false],
    ['site:other', true],
    ['system/Patient.cu', true],
    ['system/*.cruds', true],
    ['system/Patient.RS', true],
  ];
  for (const [scope, modern] of refused) assert.ok(judgeScope(scope, { modern }), scope);
});

test('a misspelt resource type is not well spelt: by what discovery lists, else by the types of FHIR', () => {
  const supported = ['openid', 'system/*.$export', 'system/Patient.read', 'system/Observation.rs'];
  const judged = judgeScope('system/Observatoin.read', { modern: false, supported });
  assert.match(judged?.problem ?? '', /type that the server does not offer/);
  assert.deepEqual([judged?.right, judged?.guessed], ['system/Observation.read', true]);
  assert.deepEqual(judgeScope('system/Appointment.read', { modern: true, supported }), {
    problem: 'names a resource type that the server does not offer',
  });
  for (const nothing of [undefined, [], ['openid', 'system/*.$export']]) {
    const context = { modern: undefined, supported: nothing };
    const unknown = judgeScope('system/Observatoin.read', context);
    assert.match(unknown?.problem ?? '', /no resource type of FHIR/);
    assert.equal(unknown?.right, 'system/Observation.read');
    assert.equal(judgeScope('system/patient.read', context)?.right, 'system/Patient.read');
    assert.equal(judgeScope('system/Zebra.read', context)?.right, undefined);
    assert.equal(judgeScope('system/Appointment.read', context), undefined);
    // Scopes of OpenEMR's own API are lower-case.
    assert.equal(judgeScope('user/appointment.read', context), undefined);
  }
});
