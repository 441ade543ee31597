/** What `init` says of the first FHIR answer. */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { describeAnswer } from '../../src/commands/init/first-answer.ts';

const bundle = (...types: unknown[]) => ({
  resourceType: 'Bundle',
  entry: types.map((resourceType) => ({
    resource: { resourceType, id: 'secret-1', name: [{ family: 'secret-2' }] },
  })),
});

it('an answer is described by its types alone, never by what it holds', () => {
  const cases: [unknown, number, string][] = [
    [bundle('Patient'), 200, 'a Bundle with 1 Patient'],
    [
      bundle('Patient', 'Patient', 'OperationOutcome'),
      200,
      'a Bundle with 2 Patient, 1 OperationOutcome',
    ],
    [bundle(), 200, 'a Bundle with nothing in it'],
    [{ resourceType: 'Bundle' }, 200, 'a Bundle with nothing in it'],
    [{ resourceType: 'Bundle', entry: [null, {}, 'secret-3'] }, 200, 'a Bundle with 3 entry'],
    [bundle('secret 4'), 200, 'a Bundle with 1 entry'],
    [{ resourceType: 'CapabilityStatement' }, 200, 'a CapabilityStatement'],
    [
      { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'no such type' }] },
      404,
      'an OperationOutcome: no such type',
    ],
    [
      { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'secret-5' }] },
      200,
      'an OperationOutcome',
    ],
    [{ resourceType: 'secret 6' }, 200, 'no FHIR resource'],
    [null, 200, 'no FHIR resource'],
    ['secret-7', 200, 'no FHIR resource'],
  ];
  for (const [value, status, expected] of cases) {
    const answer = { target: '/Patient', status, body: JSON.stringify(value) };
    assert.equal(describeAnswer(answer), expected);
  }
  assert.equal(describeAnswer({ target: '/', status: 502, body: '<html>' }), 'no FHIR resource');
});
