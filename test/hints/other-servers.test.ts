/** What must not be said: hints about OpenEMR for servers of another make, and causes that are ruled out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseInteraction } from '../../src/fhir/interaction.ts';
import { parseLogLines } from '../../src/hints/error-log/reader.ts';
import type { Evidence } from '../../src/hints/evidence.ts';
import { explain } from '../../src/hints/match.ts';

const idsOf = (evidence: Evidence): string[] => explain(evidence).map(({ id }) => id);

describe('a FHIR server of another make', () => {
  for (const status of [400, 401, 403, 404, 405, 409, 410, 412, 422, 429, 500, 501, 502, 503]) {
    it(`gets no hint about OpenEMR for an OperationOutcome with ${status}`, () => {
      const ids = idsOf({
        stage: 'fhir',
        status,
        body: '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"no"}]}',
        contentType: 'application/fhir+json',
        fhirBase: 'https://hapi.example/fhir',
        requestMethod: 'GET',
        authorization: 'bearer',
        logEntries: [],
      });
      assert.deepEqual(ids, []);
    });
  }
});

describe('a cause that is ruled out', () => {
  const log = (line: string) => parseLogLines(`[2026-11-23T18:00:00.000000+00:00] ${line}`);
  const table: readonly [what: string, evidence: Evidence, first: string | undefined][] = [
    [
      'a message of level DEBUG is no failure',
      {
        logEntries: log(
          'OpenEMR.DEBUG: HttpRestRouteHandler::dispatch() dispatching route {"route":"GET /fhir/Patient"} []',
        ),
      },
      undefined,
    ],
    [
      'a fatal error with a long message is one',
      {
        stage: 'fhir',
        status: 500,
        body: '',
        logEntries: parseLogLines(
          `PHP Fatal error:  Uncaught Error: ${'long '.repeat(80)}in /srv/a.php:1`,
        ),
      },
      'fhir-handler-exception',
    ],
    [
      'a batch that 7.0.3 refuses with 501 does not mean that the API is off',
      {
        stage: 'fhir',
        status: 501,
        body: '',
        requestMethod: 'POST',
        interaction: parseInteraction('POST', '/'),
        logEntries: [],
      },
      'fhir-route-unknown',
    ],
    [
      'a read carries no resource that could be refused',
      {
        stage: 'fhir',
        status: 400,
        body: '{"validationErrors":{"uuid":["invalid"]}}',
        requestMethod: 'GET',
        interaction: parseInteraction('GET', '/Goal/x'),
        logEntries: [],
      },
      'fhir-bad-id',
    ],
    [
      'the base of the other API is the cause, whatever it answers',
      {
        stage: 'fhir',
        status: 401,
        body: '{"error":"access_denied","hint":"Missing \\"Authorization\\" header"}',
        fhirBase: 'https://emr.example/apis/default/api',
        logEntries: [],
      },
      'base-path-wrong',
    ],
  ];
  for (const [what, evidence, first] of table) {
    it(what, () => {
      assert.equal(idsOf(evidence)[0], first);
    });
  }
});
