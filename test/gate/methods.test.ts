import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

for (const method of ALL) {
  test(`${method} passes`, () => {
    assert.equal(verdict(ask(buildGate(), method, '/fhir/Patient/1')), 'route');
  });
}

for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'QUERY', 'get', 'M-SEARCH', '']) {
  test(`method "${method}" is refused with Allow, on routes and elsewhere`, () => {
    for (const url of ['/fhir/Patient', '/_proxy/', '/nowhere']) {
      const admission = ask(buildGate(), method, url);
      const error = refusal(admission);
      assert.equal(error.code, 'method-refused');
      assert.equal(error.status, 405);
      assert.ok(error.message.startsWith(`method "${method}" is not allowed`));
      assert.deepEqual(admission.kind === 'refused' ? admission.fields : [], [
        'Allow',
        'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      ]);
    }
  });
}

test('a method that the route does not take is refused with the route’s own Allow', () => {
  const gate = buildGate({ access: { methods: ['GET', 'POST'] } });
  assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient')), 'route');
  const admission = ask(gate, 'DELETE', '/fhir/Patient/1');
  assert.equal(refusal(admission).message, 'method "DELETE" is not allowed: expected GET, POST');
  assert.deepEqual(admission.kind === 'refused' && admission.fields, [
    'Allow',
    'GET, POST, OPTIONS',
  ]);
});

const READS: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/Patient'],
  ['HEAD', '/Patient/1'],
  ['GET', '/Patient/1/_history/2'],
  ['GET', '/metadata'],
  ['GET', '/.well-known/smart-configuration'],
  ['GET', '/$export'],
  ['GET', '/%24export?_type=Patient'],
  ['GET', '/Group/1/$export'],
  ['GET', '/$bulkdata-status?job=1'],
  ['POST', '/_search'],
  ['POST', '/Patient/_search'],
  ['POST', '/Patient/1/Observation/_search'],
  ['POST', '/Patient/$export'],
  ['POST', '/ValueSet/$expand'],
  ['POST', '/Patient/1/$everything'],
  ['POST', '/'],
  ['POST', ''],
];

for (const [method, path] of READS) {
  test(`a read-only route lets ${method} "${path}" through`, () => {
    const gate = buildGate({ access: { readOnly: true } });
    assert.equal(verdict(ask(gate, method, `/fhir${path}`)), 'route');
  });
}

const WRITES: readonly (readonly [method: string, path: string, status: number])[] = [
  ['POST', '/Patient', 403],
  ['POST', '/Patient/1', 403],
  ['POST', '/Patient/_search/x', 403],
  ['POST', '/Patient/_Search', 403],
  ['POST', '/Patient/%5Fsearch', 403],
  ['POST', '/_search/Patient', 403],
  ['POST', '/x/_search', 403],
  ['POST', '/Patient/1/_search/Observation', 403],
  ['POST', '/Patient/$merge', 403],
  ['POST', '/Patient/$everything/1', 403],
  ['POST', '/$process-message', 403],
  ['POST', '/$Export', 403],
  ['POST', '/metadata', 403],
  ['POST', '/.well-known/smart-configuration', 403],
  ['PUT', '/Patient/1', 405],
  ['PUT', '/Patient/$validate', 405],
  ['PUT', '/Patient/_search', 405],
  ['PATCH', '/Patient/1', 405],
  ['PATCH', '/Patient/$everything', 405],
  ['DELETE', '/Patient/1', 405],
  ['DELETE', '/$bulkdata-status?job=1', 405],
  ['DELETE', '/$export', 405],
  ['DELETE', '', 405],
  ['PUT', '/', 405],
];

for (const [method, path, status] of WRITES) {
  test(`a read-only route refuses ${method} "${path}"`, () => {
    const gate = buildGate({ access: { readOnly: true } });
    const admission = ask(gate, method, `/fhir${path}`);
    const error = refusal(admission);
    assert.equal(error.code, 'read-only');
    assert.equal(error.status, status);
    const fields = admission.kind === 'refused' ? admission.fields : undefined;
    assert.deepEqual(fields, status === 405 ? ['Allow', 'GET, HEAD, POST, OPTIONS'] : undefined);
  });
}

test('the refusal of a write names the interaction and the configuration line, not the id', () => {
  const gate = buildGate({ access: { readOnly: true } });
  assert.equal(
    refusal(ask(gate, 'PUT', '/fhir/Patient/secret-id?name=secret')).message,
    'this route is read-only and PUT "update Patient" may change data: set "access.readOnly" to false to let it through',
  );
});

for (const name of [
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'x_http_method_override',
]) {
  test(`${name} makes no read of a write and no write of a read`, () => {
    const gate = buildGate({ access: { readOnly: true } });
    assert.equal(verdict(ask(gate, 'POST', '/fhir/Patient', [name, 'GET'])), 'read-only');
    assert.equal(verdict(ask(gate, 'POST', '/fhir/Patient/_search', [name, 'PUT'])), 'route');
  });
}

test('cancelExports lets DELETE of a bulk job through, and of nothing else', () => {
  const gate = buildGate({ access: { readOnly: true, cancelExports: true } });
  assert.equal(verdict(ask(gate, 'DELETE', '/fhir/$bulkdata-status?job=1')), 'route');
  assert.equal(verdict(ask(gate, 'DELETE', '/fhir/%24bulkdata-status?job=1')), 'route');
  assert.equal(verdict(ask(gate, 'DELETE', '/fhir/Patient/1')), 'read-only');
  assert.equal(verdict(ask(gate, 'PUT', '/fhir/$bulkdata-status')), 'read-only');
});
