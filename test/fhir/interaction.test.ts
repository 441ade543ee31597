import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseInteraction } from '../../src/fhir/interaction.ts';

const INTERACTIONS: readonly (readonly [
  method: string,
  path: string,
  label: string,
  writes: boolean,
])[] = [
  ['GET', '/Patient', 'search Patient', false],
  ['HEAD', 'Patient', 'search Patient', false],
  ['GET', '/Patient/1', 'read Patient', false],
  ['GET', '/Patient/1/', 'read Patient', false],
  ['GET', '/Patient/1/_history', 'history Patient', false],
  ['GET', '/Patient/1/_history/2', 'vread Patient', false],
  ['GET', '/Patient/_history', 'history Patient', false],
  ['GET', '/_history', 'history', false],
  ['GET', '/Patient/1/Observation', 'search Observation', false],
  ['GET', '/Patient/1/*', 'other Patient', false],
  ['GET', '', 'search', false],
  ['POST', '/Patient/_search', 'search Patient', false],
  ['POST', '/Patient/1/Observation/_search', 'search Observation', false],
  ['POST', '/_search', 'search', false],
  ['POST', '/Patient/_search/1', 'create Patient', true],
  ['POST', '/Patient', 'create Patient', true],
  ['PUT', '/Patient/1', 'update Patient', true],
  ['PATCH', '/Patient/1', 'patch Patient', true],
  ['DELETE', '/Patient/1', 'delete Patient', true],
  ['POST', '/', 'batch', true],
  ['PUT', '/', 'other', true],
  ['GET', '/metadata', 'capabilities', false],
  ['POST', '/metadata', 'capabilities', true],
  ['GET', '/.well-known/smart-configuration', 'discovery', false],
  ['GET', '/$export', '$export', false],
  ['GET', '/%24export', '$export', false],
  ['POST', '/Patient/$export', 'Patient/$export', false],
  ['POST', '/Patient/1/$everything', 'Patient/$everything', false],
  ['POST', '/Patient/$everything/1', 'Patient/$everything', true],
  ['POST', '/Patient/$merge', 'Patient/$merge', true],
  ['PUT', '/Patient/$validate', 'Patient/$validate', true],
  ['DELETE', '/$bulkdata-status', '$bulkdata-status', true],
  ['GET', '/patient/1', 'other', false],
  ['POST', '/DocumentReference/$docref', 'DocumentReference/$docref', true],
  ['GET', '/Patient/$x.y_2', 'Patient/$x.y_2', false],
  ['POST', '/Patient/1/Observation/2/$x', 'Patient/$x', true],
  ['GET', '/Patient/$1', 'Patient/$…', false],
  ['GET', '/Patient/$', 'Patient/$…', false],
  ['GET', '/$export/$everything', '$…', false],
  ['POST', `/Patient/$${'a'.repeat(65)}`, 'Patient/$…', true],
  ['GET', '/Patient/1/Observation/2', 'other Patient', false],
  ['GET', '/Patient/1/_history/2/3', 'other Patient', false],
];

for (const [method, path, label, writes] of INTERACTIONS) {
  test(`${method} "${path}" is "${label}" and ${writes ? 'may write' : 'only reads'}`, () => {
    const interaction = parseInteraction(method, path);
    assert.equal(interaction.label, label);
    assert.equal(interaction.writes, writes);
  });
}

test('only reads of the capability statement and of discovery need no token', () => {
  for (const [method, path, open] of [
    ['GET', '/metadata', true],
    ['HEAD', '/metadata', true],
    ['GET', '/.well-known/smart-configuration', true],
    ['POST', '/metadata', false],
    ['GET', '/metadata/x', false],
    ['GET', '/Patient', false],
  ] as const) {
    assert.equal(parseInteraction(method, path).open, open, `${method} ${path}`);
  }
});
