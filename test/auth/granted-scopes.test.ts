import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createGrantReport } from '../../src/auth/grant-report.ts';
import { holdToken } from '../../src/auth/token-lifetime.ts';
import { missingScopes } from '../../src/fhir/scope.ts';
import { createTestLog } from '../support/log.ts';

test('missing are the requested scopes that no granted one covers', async (t) => {
  const cases: [name: string, requested: string, granted: string, missing: string][] = [
    [
      'all granted',
      'system/Patient.read system/Group.read',
      'system/Group.read system/Patient.read',
      '',
    ],
    [
      'one dropped',
      'system/Patient.read system/Group.read',
      'system/Patient.read',
      'system/Group.read',
    ],
    ['none granted', 'system/Patient.read', '', 'system/Patient.read'],
    ['more than asked', 'system/Patient.read', 'system/Patient.read site:default', ''],
    ['v1 asked, v2 granted', 'system/Patient.read', 'system/Patient.rs', ''],
    ['v2 asked, v1 granted', 'system/Patient.rs', 'system/Patient.read', ''],
    [
      'write asked, read granted',
      'system/Patient.write',
      'system/Patient.rs',
      'system/Patient.write',
    ],
    ['letters in two scopes', 'system/Patient.rs', 'system/Patient.r system/Patient.s', ''],
    ['one letter too few', 'system/Patient.rs', 'system/Patient.r', 'system/Patient.rs'],
    ['wildcard covers', 'system/Patient.read', 'system/*.rs', ''],
    ['wildcard is not covered by one', 'system/*.read', 'system/Patient.read', 'system/*.read'],
    ['another context', 'system/Patient.read', 'user/Patient.read', 'system/Patient.read'],
    [
      'narrowed by a restriction',
      'system/Observation.rs',
      'system/Observation.rs?category=laboratory',
      'system/Observation.rs',
    ],
    [
      'the same restriction',
      'system/Observation.rs?category=a',
      'system/Observation.r?category=a system/Observation.s?category=a',
      '',
    ],
    ['operation', 'system/*.$export', 'system/*.$export', ''],
    ['operation is not read', 'system/Group.$export', 'system/Group.rs', 'system/Group.$export'],
    ['operation by wildcard', 'system/Group.$export', 'system/*.$export', ''],
    ['no resource scope', 'openid fhirUser', 'openid', 'fhirUser'],
  ];
  const split = (text: string) => text.split(' ').filter(Boolean);
  for (const [name, requested, granted, missing] of cases) {
    await t.test(name, () => {
      assert.deepEqual(missingScopes(split(requested), split(granted)), split(missing));
    });
  }
});

test('the log names missing scopes once for each change', () => {
  const { logger, entries } = createTestLog();
  const report = createGrantReport(logger);
  const requestedScopes = ['system/Patient.read', 'system/Group.read'];
  const grant = (...grantedScopes: string[]) =>
    report(
      holdToken({
        accessToken: 'value',
        generation: 1,
        sent: { wallMs: 0, monotonicMs: 0 },
        expiresInSeconds: 300,
        requestedScopes,
        grantedScopes,
      }).token,
    );
  grant(...requestedScopes);
  assert.deepEqual(entries(), []);
  grant('system/Patient.read');
  grant('system/Patient.read');
  assert.equal(entries().length, 1);
  assert.deepEqual(entries('warn')[0]?.['missingScopes'], ['system/Group.read']);
  assert.match(entries()[0]?.msg ?? '', /did not grant "system\/Group\.read": .*"client\.scopes"$/);
  grant();
  assert.deepEqual(entries('warn')[1]?.['missingScopes'], requestedScopes);
  grant(...requestedScopes);
  assert.deepEqual(
    entries().map(({ level }) => level),
    ['warn', 'warn', 'info'],
  );
});
