import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import type { FhirRequest } from '../../src/sandbox/exchange.ts';
import { answerFhir } from '../../src/sandbox/fhir/index.ts';
import type { JsonObject } from '../../src/sandbox/fhir/resource.ts';
import { createState } from '../../src/sandbox/state.ts';
import { OPENEMR_7_0_3 } from '../../src/sandbox/versions/openemr-7.0.3.ts';
import type { SandboxState } from '../../src/sandbox/versions/profile.ts';

const POSTED: JsonObject = {
  resourceType: 'Patient',
  name: [{ use: 'official', family: 'Posted', given: ['New', 'Middle'] }],
  gender: 'female',
  birthDate: '1990-01-01',
  telecom: [{ system: 'phone', use: 'mobile', value: '(555) 555-0150' }],
  address: [{ line: ['3 Example Avenue'], city: 'Springvale', state: 'MA', postalCode: '01199' }],
};
const SCOPES = ['system/Patient.write', 'system/Practitioner.write', 'system/Organization.write'];

interface Written {
  status: number;
  body: unknown;
}

/**
 * Sends a write straight to the FHIR endpoints, behind the token: no system client of OpenEMR 7.0.3
 * can get a scope that writes.
 */
async function writer(
  t: TestContext,
  scopes: readonly string[] = SCOPES,
): Promise<{
  state: SandboxState;
  send(method: string, resource: string, body: unknown): Promise<Written>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-write-'));
  t.after(() => rm(folder, { recursive: true }));
  const state = createState({
    version: OPENEMR_7_0_3,
    errorLog: join(folder, 'error.log'),
    clock: Date,
  });
  return {
    state,
    async send(method, resource, body) {
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const path = `/apis/default/fhir${resource}`;
      const request: FhirRequest = {
        method,
        scheme: 'http',
        target: path,
        path,
        query: '',
        headers: { 'content-type': 'application/fhir+json' },
        rawHeaders: [],
        body: bytes,
        bodyBytes: bytes.length,
        client: '127.0.0.1:1',
        localPort: 1,
        log: state.log.open('127.0.0.1:1'),
        site: 'default',
        resource,
        redirectUrl: path,
      };
      const answer = await answerFhir(request, state, { clientId: 'client', scopes });
      assert.equal(typeof answer.body, 'string');
      const text = answer.body as string;
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
  };
}

test('a created patient gets the next number and is found again', async (t) => {
  const { state, send } = await writer(t);
  const { status, body } = await send('POST', '/Patient', POSTED);
  assert.equal(status, 201);
  const { pid, uuid } = body as { pid: number; uuid: string };
  assert.equal(pid, 51);
  const patient = state.records.find('Patient', uuid);
  assert.deepEqual(patient?.name, [
    { use: 'official', family: 'Posted', given: ['New', 'Middle'] },
  ]);
  assert.equal(patient?.gender, 'female');
  assert.match(JSON.stringify(patient?.identifier), /"value":"51"/);
  assert.match(JSON.stringify(patient?.address), /3 Example Avenue/);
  assert.equal(state.records.list('Patient').at(-1), patient);
});

test('practitioners and organizations are created, too', async (t) => {
  const { state, send } = await writer(t);
  const npi = { system: 'http://hl7.org/fhir/sid/us-npi', value: '9900000042' };
  const name = [{ use: 'official', family: 'Doc', given: ['Test'] }];
  const doctor = await send('POST', '/Practitioner', {
    resourceType: 'Practitioner',
    identifier: [npi],
    name,
  });
  assert.equal(doctor.status, 201);
  const { uuid } = doctor.body as { uuid: string };
  assert.deepEqual(state.records.find('Practitioner', uuid)?.identifier, [npi]);
  const practice = await send('POST', '/Organization', {
    resourceType: 'Organization',
    name: 'Test Clinic',
  });
  assert.equal(practice.status, 201);
  assert.equal((practice.body as { id: number }).id, 2);
});

test('an update changes what it names and keeps the rest', async (t) => {
  const { state, send } = await writer(t);
  const [before] = state.records.list('Patient');
  assert.ok(before !== undefined);
  const { status, body } = await send('PUT', `/Patient/${before.id}`, {
    resourceType: 'Patient',
    name: [{ use: 'official', family: 'Changed', given: ['Name'] }],
    birthDate: '1999-09-09',
  });
  assert.equal(status, 200);
  const after = state.records.find('Patient', before.id);
  assert.deepEqual(body, JSON.parse(JSON.stringify(after)));
  assert.equal(after?.birthDate, '1999-09-09');
  for (const member of ['gender', 'identifier', 'telecom', 'extension', 'communication']) {
    assert.deepEqual(after?.[member], before[member], member);
  }
  assert.equal(state.records.list('Patient').length, 50);
});

test('a body that is no resource, or lacks what a row needs, is refused', async (t) => {
  const { state, send } = await writer(t);
  for (const body of ['', '{', '[]', '{}']) {
    const { status, body: outcome } = await send('POST', '/Patient', body);
    assert.equal(status, 400);
    const { issue } = outcome as { issue: { details: { text: string } }[] };
    assert.equal(issue[0]?.details.text, 'resourceType Not Found');
  }
  assert.deepEqual(await send('POST', '/Patient', { resourceType: 'Patient' }), {
    status: 400,
    body: {
      validationErrors: {
        fname: { 'Required::NON_EXISTENT_KEY': 'fname must be provided, but does not exist' },
        lname: { 'Required::NON_EXISTENT_KEY': 'lname must be provided, but does not exist' },
        sex: { 'NotEmpty::EMPTY_VALUE': 'Gender must not be empty' },
        DOB: { 'NotEmpty::EMPTY_VALUE': 'Date of Birth must not be empty' },
      },
    },
  });
  const missing = await send('PUT', `/Patient/${crypto.randomUUID()}`, POSTED);
  assert.deepEqual(missing, { status: 404, body: [] });
  assert.equal(state.records.list('Patient').length, 50);
});

test('nothing is written without the scope, and types that are only read have no route', async (t) => {
  const { state, send } = await writer(t, ['system/Patient.read', 'system/Encounter.write']);
  const [patient] = state.records.list('Patient');
  assert.equal((await send('POST', '/Patient', POSTED)).status, 401);
  assert.equal((await send('PUT', `/Patient/${patient?.id}`, POSTED)).status, 401);
  assert.equal((await send('POST', '/Encounter', { resourceType: 'Encounter' })).status, 404);
  assert.equal((await send('DELETE', `/Patient/${patient?.id}`, '')).status, 404);
  assert.equal(state.records.list('Patient')[0], patient);
  assert.equal(state.records.list('Patient').length, 50);
});
