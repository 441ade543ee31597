/**
 * Leaving the prefix: Envoy GHSA-xcx5-93pw-jw2w, @fastify/reply-from GHSA-2q7r-29rg-6m5h, fast-uri
 * CVE-2026-6321; and the regression that too strict a cure brought, fastify/fastify-reply-from#460.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGate } from '../support/gate.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

const TRAVERSALS = [
  '/fhir/../api/patient',
  '/fhir/..',
  '/fhir/Patient/../../api',
  '/fhir/./../api',
  '/fhir/%2e%2e/api',
  '/fhir/%2E%2E/api',
  '/fhir/.%2e/api',
  '/fhir/%2e./api',
  '/fhir/..%2fapi',
  '/fhir/..%2Fapi',
  '/fhir/%2e%2e%2fapi',
  '/fhir/..%5capi',
  '/fhir/..\\api',
  '/fhir/\\..\\api',
  '/fhir\\..\\api',
  '/fhir/..;/api',
  '/fhir/;/../api',
  '/fhir/%252e%252e/api',
  '/fhir/%252e%252e%252fapi',
  '/fhir/..%252fapi',
  '/fhir/..%255capi',
  '/fhir/%25252e%25252e/api',
  '/fhir/..%00/api',
  '/fhir/..%09/api',
  '/fhir/..%20/api',
  '/fhir/%c0%ae%c0%ae/api',
  '/fhir/%u002e%u002e/api',
  '/fhir//../api',
  '/fhir/Patient//../../../api',
  '/fhir/..%3f/api',
  '/fhir/..#/api',
];

test('no spelling of dot segments passes', async (t) => {
  const { port, passed } = await startGate(t);
  for (const target of TRAVERSALS) {
    const head = rawHead([`GET ${target} HTTP/1.1`, 'Host: localhost']);
    const { answers } = await rawRequest(head, { port });
    assert.equal(answers[0]?.status, 400, target);
  }
  assert.deepEqual(passed, []);
});

test('a path that only begins like a route is not below it', async (t) => {
  const { port, passed } = await startGate(t);
  for (const target of [
    '/fhirx',
    '/fhir.',
    '/fhir%20',
    '/fhir:8088/Patient',
    '/fhir@evil/Patient',
  ]) {
    const head = rawHead([`GET ${target} HTTP/1.1`, 'Host: localhost']);
    const { answers } = await rawRequest(head, { port });
    assert.equal(answers[0]?.status, 404, target);
  }
  assert.deepEqual(passed, []);
});

const LEGAL = [
  '/[...slug]',
  '/Patient/...',
  '/Patient/1..2',
  '/Patient?name=%2F..%2F',
  '/Patient?name=../../x',
  '/Observation?code=http://loinc.org|1234-5',
  "/Patient?name=O'Brien",
  '/%24export?_type=Patient',
  '/$export',
  '/Patient?name=%252e',
  '/Patient/%E2%82%AC',
];

test('what only looks like it passes byte for byte', async (t) => {
  const { port, passed } = await startGate(t);
  for (const target of LEGAL) {
    const head = rawHead([`GET /fhir${target} HTTP/1.1`, 'Host: localhost']);
    const { answers } = await rawRequest(head, { port });
    assert.equal(answers[0]?.status, 200, target);
  }
  assert.deepEqual(
    passed.map(({ target }) => target),
    LEGAL,
  );
});
