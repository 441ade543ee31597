import assert from 'node:assert/strict';
import { test } from 'node:test';

import { judgeAudit } from '../../scripts/audit-verdict.ts';

const URL = 'https://user:secret@registry.example/-/npm/v1/security/advisories/bulk';
const nothing = { error: { summary: '', detail: '' } };
const status = (statusCode: number, phrase: string) => ({
  message: `${statusCode} ${phrase} - POST ${URL}`,
  method: 'POST',
  uri: URL,
  statusCode,
  body: '',
  ...nothing,
});
const unreached = (reason: string) => ({
  message: `request to ${URL} failed, reason: ${reason}`,
  ...nothing,
});
const report = (severities: Record<string, string>) => ({
  auditReportVersion: 2,
  vulnerabilities: Object.fromEntries(
    Object.entries(severities).map(([name, severity]) => [name, { severity, range: '<2.0.0' }]),
  ),
});

/** What npm 10 and 11 print. */
const OUTPUTS: readonly (readonly [
  name: string,
  output: object | string,
  exitCode: number,
  says: string,
])[] = [
  [
    'a clean report',
    report({}),
    0,
    'passed: no vulnerability of high or critical severity is known',
  ],
  [
    'a report below the level',
    report({ a: 'moderate', b: 'low' }),
    0,
    'passed: no vulnerability of high or critical severity is known',
  ],
  [
    'a report with findings',
    report({ a: 'high', b: 'low', c: 'critical' }),
    1,
    'failed: vulnerable: a <2.0.0 (high), c <2.0.0 (critical)',
  ],
  [
    'a clean report that npm is not content with',
    report({}),
    1,
    'failed: npm wrote a clean report and ended with exit code 1',
  ],
  [
    'no endpoint, 404',
    status(404, 'Not Found'),
    1,
    'skipped: the registry has no audit endpoint: 404',
  ],
  [
    'no endpoint, 405',
    status(405, 'Method Not Allowed'),
    1,
    'skipped: the registry has no audit endpoint: 405',
  ],
  [
    'a registry that fails',
    status(500, 'Internal Server Error'),
    1,
    'failed: npm could not ask: status 500, 500 Internal Server Error - POST <url>',
  ],
  [
    'a registry that refuses',
    status(401, 'Unauthorized'),
    1,
    'failed: npm could not ask: status 401, 401 Unauthorized - POST <url>',
  ],
  [
    'too many requests',
    status(429, 'Too Many Requests'),
    1,
    'failed: npm could not ask: status 429, 429 Too Many Requests - POST <url>',
  ],
  [
    'nothing listens',
    unreached('connect ECONNREFUSED 127.0.0.1:9'),
    1,
    'skipped: the registry cannot be reached: connect ECONNREFUSED 127.0.0.1:9',
  ],
  [
    'an unknown name',
    unreached('getaddrinfo ENOTFOUND registry.example'),
    1,
    'skipped: the registry cannot be reached: getaddrinfo ENOTFOUND registry.example',
  ],
  [
    'a connection that is closed',
    unreached('socket hang up'),
    1,
    'skipped: the registry cannot be reached: socket hang up',
  ],
  [
    'no answer in time',
    { message: `network timeout at: ${URL}`, ...nothing },
    1,
    'skipped: the registry cannot be reached: network timeout',
  ],
  [
    'a certificate that is not trusted',
    unreached('self-signed certificate'),
    1,
    'failed: npm could not ask: request to <url> failed, reason: self-signed certificate',
  ],
  [
    'an answer that is no JSON',
    { message: `invalid json response body at ${URL} reason: Unexpected token '<'`, ...nothing },
    1,
    "failed: npm could not ask: invalid json response body at <url> reason: Unexpected token '<'",
  ],
  [
    'no lock file',
    { error: { code: 'ENOLOCK', summary: 'This command requires an existing lockfile.' } },
    1,
    'failed: npm could not ask: ENOLOCK This command requires an existing lockfile.',
  ],
  ['no output', '', 127, 'failed: npm ended with exit code 127 and wrote no JSON: nothing'],
  ['text', 'Killed\n', 137, 'failed: npm ended with exit code 137 and wrote no JSON: Killed'],
];

for (const [name, output, exitCode, says] of OUTPUTS) {
  test(`npm audit: ${name}`, () => {
    const text = typeof output === 'string' ? output : JSON.stringify(output, undefined, 2);
    const verdict = judgeAudit(text, exitCode);
    assert.equal(`${verdict.kind}: ${verdict.says}`, says);
    assert.doesNotMatch(verdict.says, /secret/);
  });
}
