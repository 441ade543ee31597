import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Hint } from '../../src/base/contracts.ts';
import { buildOperationOutcome, issueTypeOfStatus } from '../../src/hints/operation-outcome.ts';

const hint: Hint = {
  id: 'client-disabled',
  certainty: 'certain',
  title: 'The client is not enabled',
  cause: 'It was never enabled.',
  fix: 'Enable it.',
  evidence: 'error log: Client is not enabled',
};

test('the failure is the first issue, with severity error unless told otherwise', () => {
  assert.deepEqual(buildOperationOutcome({ code: 'login', diagnostics: 'no token: enable it' }), {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'login', diagnostics: 'no token: enable it' }],
  });
  const fatal = buildOperationOutcome({ code: 'exception', diagnostics: 'x', severity: 'fatal' });
  assert.equal(fatal.issue[0]?.severity, 'fatal');
});

test('each hint is an informational issue with cause, fix and id; a likely one says so', () => {
  const { issue } = buildOperationOutcome({
    code: 'login',
    diagnostics: 'x',
    hints: [hint, { ...hint, certainty: 'likely' }],
  });
  assert.deepEqual(issue[1], {
    severity: 'information',
    code: 'informational',
    details: { text: 'The client is not enabled' },
    diagnostics:
      'It was never enabled. Enable it. (error log: Client is not enabled) [client-disabled]',
  });
  assert.equal(issue[2]?.details?.text, 'The client is not enabled (likely)');
});

test('a status without a body still gets an issue type', () => {
  const table = [
    [400, 'invalid'],
    [401, 'login'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [418, 'processing'],
    [500, 'exception'],
    [503, 'transient'],
    [504, 'timeout'],
  ] as const;
  for (const [status, type] of table) assert.equal(issueTypeOfStatus(status), type);
});

test('the log line that decided is quoted, without the values in its context', () => {
  const hint = {
    id: 'client-disabled',
    certainty: 'certain' as const,
    title: 'The client is not enabled',
    cause: 'It is disabled.',
    fix: 'Enable it.',
    evidence: 'error log: Client is not enabled {"client_id":"abc"}',
  };
  const { issue } = buildOperationOutcome({ code: 'login', diagnostics: 'refused', hints: [hint] });
  assert.equal(
    issue[1]?.diagnostics,
    'It is disabled. Enable it. (error log: Client is not enabled) [client-disabled]',
  );
});
