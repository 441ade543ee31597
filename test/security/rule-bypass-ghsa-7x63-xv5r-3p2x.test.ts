/**
 * Rules decided by something other than the path that is asked for: oauth2-proxy
 * GHSA-7rh7-c77v-6434, GHSA-pxq7-h93f-9jrg, GHSA-5hvv-m4w4-gf6v, GHSA-7x63-xv5r-3p2x (query,
 * fragment, User-Agent, X-Forwarded-Uri).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGate } from '../support/gate.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

const CASES: readonly (readonly [name: string, line: string, status: number, fields?: string[]])[] =
  [
    ['a route in the query', 'GET /oauth2/token?x=/fhir/', 404],
    ['a route in the fragment', 'GET /other#/fhir/', 400],
    ['a route after a semicolon', 'GET /other;/fhir/', 400],
    ['a denied type behind an allowed one in the query', 'GET /fhir/Encounter?x=/Patient', 403],
    ['X-Forwarded-Uri', 'GET /fhir/Encounter', 403, ['X-Forwarded-Uri: /fhir/Patient']],
    ['X-Original-URL', 'GET /fhir/Encounter', 403, ['X-Original-URL: /fhir/Patient']],
    ['X-Rewrite-URL', 'GET /fhir/Encounter', 403, ['X-Rewrite-URL: /fhir/Patient']],
    ['X-Forwarded-Method', 'DELETE /fhir/Patient/1', 405, ['X-Forwarded-Method: GET']],
    ['a probe by its User-Agent', 'GET /nowhere', 404, ['User-Agent: kube-probe/1.30']],
    ['a probe by its User-Agent, denied', 'GET /fhir/Encounter', 403, ['User-Agent: GoogleHC/1.0']],
    ['what is allowed', 'GET /fhir/Patient?x=/Encounter', 200],
  ];

test('only method and path decide', async (t) => {
  const { port, passed } = await startGate(t, { access: { readOnly: true, allow: ['Patient'] } });
  for (const [name, line, status, fields = []] of CASES) {
    const head = rawHead([`${line} HTTP/1.1`, 'Host: localhost', ...fields]);
    const { answers } = await rawRequest(head, { port });
    assert.equal(answers[0]?.status, status, name);
  }
  assert.equal(passed.length, 1);
});
