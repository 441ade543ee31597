import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

const ALLOW = ['Patient', 'Observation', '$export', '$bulkdata-status'];

const ALLOWED: readonly (readonly [method: string, path: string, verdict: string])[] = [
  ['GET', '/Patient', 'route'],
  ['GET', '/Patient/1', 'route'],
  ['POST', '/Patient/_search', 'route'],
  ['PUT', '/Observation/1', 'route'],
  ['GET', '/Patient/1/Observation', 'route'],
  ['GET', '/%50atient/1', 'route'],
  ['GET', '/metadata', 'route'],
  ['GET', '/.well-known/smart-configuration', 'route'],
  ['GET', '/$export', 'route'],
  ['GET', '/Patient/$export', 'route'],
  ['GET', '/Group/1/$export', 'route'],
  ['DELETE', '/$bulkdata-status?job=1', 'route'],
  ['POST', '/', 'route'],
  ['GET', '/Encounter', 'interaction-refused'],
  ['GET', '/%45ncounter', 'interaction-refused'],
  ['GET', '/Patient/1/Encounter', 'interaction-refused'],
  ['GET', '/Patient/1/*', 'interaction-refused'],
  ['GET', '/Patient/1/x', 'interaction-refused'],
  ['GET', '/Patient/$everything', 'interaction-refused'],
  ['GET', '/Binary/1', 'interaction-refused'],
  ['GET', '/patient', 'interaction-refused'],
  ['GET', '/Patientx/1', 'interaction-refused'],
  ['GET', '/', 'interaction-refused'],
  ['GET', '?_type=Encounter', 'interaction-refused'],
  ['GET', '/_history', 'interaction-refused'],
  ['POST', '/_search', 'interaction-refused'],
  ['GET', '/x/Patient', 'interaction-refused'],
  ['PUT', '/', 'interaction-refused'],
];

for (const [method, path, expected] of ALLOWED) {
  test(`with an allow list, ${method} "${path}": ${expected}`, () => {
    const gate = buildGate({ access: { allow: ALLOW } });
    assert.equal(verdict(ask(gate, method, `/fhir${path}`)), expected);
  });
}

const DENIED: readonly (readonly [method: string, path: string, verdict: string])[] = [
  ['GET', '/Observation', 'route'],
  ['GET', '/Patient/1/Observation', 'route'],
  ['GET', '/$export', 'route'],
  ['GET', '/metadata', 'route'],
  ['GET', '/Encounter/1', 'interaction-refused'],
  ['POST', '/Encounter/_search', 'interaction-refused'],
  ['GET', '/Patient/1/Encounter', 'interaction-refused'],
  ['GET', '/%45ncounter/1', 'interaction-refused'],
  ['GET', '/Encounter/1/$everything', 'interaction-refused'],
  ['GET', '/Patient/1/$everything', 'interaction-refused'],
  ['GET', '/Patient/1/%24everything', 'interaction-refused'],
  ['GET', '/encounter', 'interaction-refused'],
  ['GET', '?_type=Encounter', 'interaction-refused'],
];

for (const [method, path, expected] of DENIED) {
  test(`with a deny list, ${method} "${path}": ${expected}`, () => {
    const gate = buildGate({ access: { deny: ['Encounter', '$everything'] } });
    assert.equal(verdict(ask(gate, method, `/fhir${path}`)), expected);
  });
}

test('deny is stronger than allow', () => {
  const gate = buildGate({ access: { allow: ['Patient', 'Observation'], deny: ['Patient'] } });
  assert.equal(verdict(ask(gate, 'GET', '/fhir/Observation')), 'route');
  assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient')), 'interaction-refused');
});

test('the refusal names what is missing and the list', () => {
  const gate = buildGate({ access: { allow: ['Patient'], deny: ['$export'] } });
  const error = refusal(ask(gate, 'GET', '/fhir/Encounter/secret-id'));
  assert.equal(error.status, 403);
  assert.equal(
    error.message,
    '"Encounter" is not in "access.allow" of this route: to let it through, add "Encounter" to it',
  );
  assert.equal(
    refusal(ask(gate, 'GET', '/fhir/Patient/$export')).message,
    '"$export" is in "access.deny" of this route: to let it through, remove "$export" from it',
  );
});

test('routes have their own rules, and the longest path decides which', () => {
  const gate = buildGate({ paths: ['/fhir', '/fhir/all'], access: { allow: ['Patient'] } });
  assert.equal(verdict(ask(gate, 'GET', '/fhir/all/Encounter')), 'interaction-refused');
});
