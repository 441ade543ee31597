import assert from 'node:assert/strict';
import { test } from 'node:test';

import { admitted, ask, buildGate, refusal, verdict } from '../support/gate.ts';

const gate = buildGate({ paths: ['/fhir', '/fhir/two', '/r4.1/fhir-x', '/FHIR'] });

const ROUTED: readonly (readonly [url: string, route: string, target: string])[] = [
  ['/fhir', '/fhir', ''],
  ['/fhir/', '/fhir', '/'],
  ['/fhir?x=1', '/fhir', '?x=1'],
  ['/fhir/Patient', '/fhir', '/Patient'],
  ['/fhir/two', '/fhir/two', ''],
  ['/fhir/two/Patient?a=b', '/fhir/two', '/Patient?a=b'],
  ['/fhir/twofold', '/fhir', '/twofold'],
  ['/r4.1/fhir-x/metadata', '/r4.1/fhir-x', '/metadata'],
  ['/FHIR/Patient', '/FHIR', '/Patient'],
];

for (const [url, path, target] of ROUTED) {
  test(`${url} goes to route ${path} with target "${target}"`, () => {
    const admission = admitted(ask(gate, 'GET', url));
    assert.equal(admission.route.path, path);
    assert.equal(admission.target, target);
  });
}

for (const url of [
  '/fhirx',
  '/fhirx/Patient',
  '/fhi',
  '/Fhir/Patient',
  '/%66hir/Patient',
  '/r4x1/fhir-x',
  '/Patient',
  '/_proxyx',
  '/_PROXY/',
  '/.well-known/jwks.json/',
  '/.well-known/jwks',
  '/.well-known/smart-configuration',
  '/oauth2/default/token?x=/fhir/',
  '/favicon.ico',
]) {
  test(`${url} is no route's`, () => {
    const error = refusal(ask(gate, 'GET', url));
    assert.equal(error.code, 'route-unknown');
    assert.equal(error.status, 404);
    assert.match(error.message, /"\/fhir", "\/fhir\/two", "\/r4\.1\/fhir-x", "\/FHIR"/);
  });
}

for (const [url, path, query] of [
  ['/', '/', ''],
  ['/?x=1', '/', 'x=1'],
  ['/_proxy', '/_proxy', ''],
  ['/_proxy/', '/_proxy/', ''],
  ['/_proxy/hints/client-disabled?a=b', '/_proxy/hints/client-disabled', 'a=b'],
  ['/.well-known/jwks.json', '/.well-known/jwks.json', ''],
] as const) {
  test(`${url} is the proxy's own`, () => {
    assert.deepEqual(ask(gate, 'GET', url), { kind: 'reserved', path, query, corsFields: [] });
  });
}

test('a path without its route gets a suggestion when it looks like FHIR', () => {
  assert.equal(
    refusal(ask(buildGate(), 'GET', '/Patient/123?name=Chen')).message,
    'no route takes "/Patient": expected a path below "/fhir". Did you mean "/fhir/Patient"?',
  );
  assert.equal(
    refusal(ask(buildGate(), 'GET', '/metadata')).message,
    'no route takes "/metadata": expected a path below "/fhir". Did you mean "/fhir/metadata"?',
  );
});

test('a path that may be an id is not repeated', () => {
  assert.equal(
    refusal(ask(buildGate(), 'GET', '/123-45-6789/x')).message,
    'no route takes this path: expected a path below "/fhir"',
  );
});

test('the interaction is read from the path behind the route', () => {
  const { interaction } = admitted(ask(gate, 'GET', '/fhir/two/Patient/1'));
  assert.equal(interaction.label, 'read Patient');
});

test('the interaction of an encoded path is the one that the upstream will see', () => {
  assert.equal(admitted(ask(gate, 'GET', '/fhir/%50atient/1')).interaction.label, 'read Patient');
  assert.equal(admitted(ask(gate, 'GET', '/fhir/%24export')).interaction.label, '$export');
  assert.equal(admitted(ask(gate, 'GET', '/fhir/Patient/%FF')).interaction.label, 'read Patient');
});

test('an interaction whose readings differ in whether they write, writes', () => {
  const { interaction } = admitted(ask(gate, 'POST', '/fhir/Patient/%5Fsearch'));
  assert.equal(interaction.writes, true);
  assert.equal(verdict(ask(gate, 'POST', '/fhir/Patient/%5Fsearch')), 'route');
});

const NAMES: readonly (readonly [name: string, query: string, names: readonly string[]])[] = [
  ['no query', '', []],
  ['an empty query', '?', []],
  ['in order', '?name=Chen&_count=5', ['name', '_count']],
  ['without duplicates', '?code=a&date=b&code=c', ['code', 'date']],
  [
    'with modifiers',
    '?name:exact=x&_has:Observation:patient:code=y',
    ['name:exact', '_has:Observation:patient:code'],
  ],
  ['an encoded colon', '?name%3Aexact=x', ['name:exact']],
  ['empty ones left out', '?&&a=1&', ['a']],
  ['a value with = in it', '?a=b=c', ['a']],
  ['what has no =, may be a value', '?Chen', ['…']],
  ['what is no name, may be a value', '?123-45-6789=x&O%27Brien=y', ['…']],
  ['what is too long', `?${'a'.repeat(65)}=x`, ['…']],
];

for (const [name, query, expected] of NAMES) {
  test(`parameter names: ${name}`, () => {
    assert.deepEqual(admitted(ask(gate, 'GET', `/fhir/Patient${query}`)).parameterNames, expected);
  });
}

test('parameter names are bounded', () => {
  const query = Array.from({ length: 500 }, (_, i) => `n${i}=1`).join('&');
  assert.equal(admitted(ask(gate, 'GET', `/fhir/Patient?${query}`)).parameterNames.length, 32);
});
