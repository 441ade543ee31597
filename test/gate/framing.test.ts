import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

const gate = buildGate();

for (const [name, fields] of [
  ['xchunked', ['Transfer-Encoding', 'xchunked']],
  ['gzip before chunked', ['Transfer-Encoding', 'gzip, chunked']],
  ['chunked twice', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
  ['identity', ['transfer-encoding', 'identity']],
  ['an empty one', ['Transfer-Encoding', '']],
  ['an empty one before chunked', ['Transfer-Encoding', '', 'Transfer-Encoding', 'chunked']],
  ['chunked with a parameter', ['Transfer-Encoding', 'chunked;q=1']],
] as const) {
  test(`transfer coding refused, and the connection closed: ${name}`, () => {
    const admission = ask(gate, 'POST', '/fhir/Patient', fields);
    const error = refusal(admission);
    assert.equal(error.code, 'framing-refused');
    assert.equal(error.status, 400);
    assert.deepEqual(admission.kind === 'refused' && admission.fields, ['Connection', 'close']);
  });
}

test('chunked passes in any case', () => {
  for (const coding of ['chunked', 'Chunked']) {
    assert.equal(
      verdict(ask(gate, 'POST', '/fhir/Patient', ['Transfer-Encoding', coding])),
      'route',
    );
  }
});

test('two Content-Type fields are refused: the second could make a form of the body', () => {
  const fields = ['Content-Type', 'application/json'];
  fields.push('content-type', 'application/x-www-form-urlencoded');
  assert.equal(verdict(ask(gate, 'POST', '/fhir/Patient/_search', fields)), 'framing-refused');
});

test('too many fields are refused with 431', () => {
  const fields = Array.from({ length: 200 }, (_, i) => [`X-${i}`, 'x']).flat();
  const error = refusal(ask(gate, 'GET', '/fhir', fields));
  assert.equal(error.code, 'fields-refused');
  assert.equal(error.status, 431);
  assert.match(error.message, /"listen\.limits\.headerCount"/);
  assert.equal(verdict(ask(gate, 'GET', '/fhir', fields.slice(2))), 'route');
});

test('too long a target is refused with 414, without repeating it', () => {
  const error = refusal(ask(gate, 'GET', `/fhir/Patient?name=${'secret'.repeat(2000)}`));
  assert.equal(error.code, 'target-too-long');
  assert.equal(error.status, 414);
  assert.doesNotMatch(error.message, /secret/);
  const wide = buildGate({ listen: { limits: { targetBytes: 20_000 } } });
  assert.equal(verdict(ask(wide, 'GET', `/fhir/Patient?name=${'x'.repeat(12_000)}`)), 'route');
});

test('a body longer than the route takes is refused by its announced length', () => {
  const small = buildGate({ access: { maxBodyBytes: 100 } });
  const fields = (length: string): string[] => ['Content-Length', length];
  assert.equal(verdict(ask(small, 'POST', '/fhir/Patient', fields('100'))), 'route');
  const error = refusal(ask(small, 'POST', '/fhir/Patient', fields('101')));
  assert.equal(error.code, 'body-too-large');
  assert.equal(error.status, 413);
  assert.equal(verdict(ask(small, 'POST', '/fhir/Patient/_search')), 'route');
});

test('where bodies are limited, one of unknown length is refused with 411', () => {
  const small = buildGate({ access: { maxBodyBytes: 100 } });
  const error = refusal(ask(small, 'POST', '/fhir/Patient', ['Transfer-Encoding', 'chunked']));
  assert.equal(error.code, 'length-required');
  assert.equal(error.status, 411);
});

test('after a refused framing nothing more of that connection is taken, but of others', () => {
  const own = buildGate();
  const head = { method: 'GET', url: '/fhir/Patient', rawHeaders: ['Host', 'localhost'] };
  const [first, second] = [{}, {}];
  assert.equal(own.admit({ ...head, socket: first }).kind, 'route');
  const broken = ['Host', 'localhost', 'Transfer-Encoding', 'xchunked'];
  assert.equal(own.admit({ ...head, rawHeaders: broken, socket: first }).kind, 'refused');
  assert.equal(verdict(own.admit({ ...head, socket: first })), 'framing-refused');
  assert.equal(own.admit({ ...head, socket: second }).kind, 'route');
});

test('framing is judged before the host, so that no later request profits', () => {
  const fields = ['Host', 'evil.com', 'Transfer-Encoding', 'xchunked'];
  assert.equal(verdict(ask(gate, 'GET', '/fhir', fields)), 'framing-refused');
});

for (const [version, code] of [
  ['1.1', undefined],
  ['1.0', undefined],
  ['2.0', 'version-refused'],
  ['0.9', 'version-refused'],
  ['3.0', 'version-refused'],
] as const) {
  test(`HTTP/${version} in a request line: ${code ?? 'passes'}`, () => {
    const admission = buildGate().admit({
      method: 'GET',
      url: '/fhir/Patient',
      rawHeaders: ['Host', 'localhost'],
      httpVersion: version,
    });
    assert.equal(admission.kind === 'refused' ? admission.error.code : undefined, code);
  });
}
