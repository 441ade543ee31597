/** From a failing request to its explanation: a server that logs, the log followed, entries joined, cause named. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { importJWK, type JWTPayload, SignJWT } from 'jose';

import type { Hint } from '../../src/base/contracts.ts';
import { parseInteraction } from '../../src/fhir/interaction.ts';
import { type ErrorLogFollower, followErrorLog } from '../../src/hints/error-log/follow.ts';
import { explain } from '../../src/hints/match.ts';
import { type FaultSettings, type Sandbox, startSandbox } from '../../src/sandbox/index.ts';

interface TokenRequest {
  claims?: JWTPayload;
  alg?: string;
  scope?: string;
  form?: Record<string, string>;
}

const NO_FAULTS: Partial<FaultSettings> = {
  'client-disabled': false,
  'jwks-unreachable': false,
  'database-down': false,
  'php-fpm-down': false,
  'token-expired': false,
  'token-revoked': false,
  'token-row-gone': false,
  'server-keys-mismatched': false,
  'clock-skew': 0,
};

/** A time later than every line so far: lines are told apart by milliseconds. */
async function nextMillisecond(): Promise<number> {
  const before = Date.now();
  while (Date.now() === before) await new Promise(setImmediate);
  return Date.now();
}

describe('a failure of the sandbox is explained from its error log', () => {
  let sandbox: Sandbox;
  let log: ErrorLogFollower;

  before(async () => {
    sandbox = await startSandbox();
    log = followErrorLog({ path: sandbox.errorLog });
    await log.catchUp();
  });
  after(async () => {
    await log.close();
    await sandbox.close();
  });

  async function requestToken(asked: TokenRequest): Promise<Response> {
    const { client, tokenEndpoint } = sandbox;
    const { alg = 'RS384', claims = {}, scope = 'system/Patient.read', form = {} } = asked;
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: client.id,
      sub: client.id,
      aud: tokenEndpoint,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      ...claims,
    };
    const assertion = await new SignJWT(payload)
      .setProtectedHeader({ alg, typ: 'JWT' })
      .sign(await importJWK(client.key, alg));
    return fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
        ...form,
      }),
    });
  }

  async function explainToken(asked: TokenRequest = {}): Promise<Hint[]> {
    const fromMs = await nextMillisecond();
    const response = await requestToken(asked);
    const body = await response.text();
    await log.catchUp();
    const clientId = asked.claims?.sub ?? sandbox.client.id;
    return explain({
      stage: 'token',
      status: response.status,
      body,
      logFollowed: true,
      logEntries: log.matching({ fromMs, toMs: Date.now(), clientId }),
    });
  }

  async function explainSearch(scope: string, faults: Partial<FaultSettings>): Promise<Hint[]> {
    const token = (await (await requestToken({ scope })).json()) as { access_token: string };
    sandbox.setFaults(faults);
    const fromMs = await nextMillisecond();
    const response = await fetch(`${sandbox.fhirBase}/Patient?_count=1`, {
      headers: { Authorization: `Bearer ${token.access_token}` },
    });
    const body = await response.text();
    await log.catchUp();
    return explain({
      stage: 'fhir',
      status: response.status,
      body,
      interaction: parseInteraction('GET', 'Patient'),
      grantedScopes: scope.split(' '),
      logFollowed: true,
      logEntries: log.matching({ fromMs, toMs: Date.now(), path: '/apis/default/fhir/Patient' }),
    });
  }

  const tokenCases: [
    what: string,
    faults: Partial<FaultSettings>,
    asked: TokenRequest,
    id: string,
  ][] = [
    ['client-disabled', { 'client-disabled': true }, {}, 'client-disabled'],
    ['jwks-unreachable', { 'jwks-unreachable': true }, {}, 'jwks-uri-unreachable'],
    ['database-down', { 'database-down': true }, {}, 'db-down'],
    ['php-fpm-down', { 'php-fpm-down': true }, {}, 'backend-down'],
    ['clock-skew ahead', { 'clock-skew': 600 }, {}, 'assertion-expired'],
    ['clock-skew behind', { 'clock-skew': -600 }, {}, 'assertion-iat-future'],
    ['an unknown client', {}, { claims: { sub: 'nobody', iss: 'nobody' } }, 'client-unknown'],
    [
      'a wrong audience',
      {},
      { claims: { aud: 'https://elsewhere.example/token' } },
      'assertion-aud-mismatch',
    ],
    ['a wrong algorithm', {}, { alg: 'RS256' }, 'assertion-alg-mismatch'],
    ['an empty jti', {}, { claims: { jti: '' } }, 'assertion-jti-missing'],
    ['a v2 scope', {}, { scope: 'system/Patient.rs' }, 'scope-invalid'],
    ['no grant_type', {}, { form: { grant_type: '' } }, 'token-form-missing'],
  ];
  for (const [what, faults, asked, id] of tokenCases) {
    test(`token request: ${what} is ${id}, for certain`, async () => {
      sandbox.setFaults({ ...NO_FAULTS, ...faults });
      const [hint] = await explainToken(asked);
      assert.equal(hint?.id, id);
      assert.equal(hint?.certainty, 'certain');
    });
  }

  const searchCases: [faults: Partial<FaultSettings>, id: string][] = [
    [{ 'token-expired': true }, 'fhir-token-rejected'],
    [{ 'token-revoked': true }, 'fhir-token-revoked'],
    [{ 'token-row-gone': true }, 'fhir-token-unknown'],
    [{ 'server-keys-mismatched': true }, 'fhir-token-rejected'],
    [{ 'database-down': true }, 'db-down'],
    [{ 'php-fpm-down': true }, 'backend-down'],
  ];
  for (const [faults, id] of searchCases) {
    test(`search: ${Object.keys(faults).join()} is ${id}, for certain`, async () => {
      sandbox.setFaults(NO_FAULTS);
      const [hint] = await explainSearch('system/Patient.read', faults);
      assert.equal(hint?.id, id);
      assert.equal(hint?.certainty, 'certain');
    });
  }

  test('search: a missing scope is likely, for OpenEMR 7 logs nothing', async () => {
    sandbox.setFaults(NO_FAULTS);
    const [hint] = await explainSearch('system/Observation.read', {});
    assert.equal(hint?.id, 'fhir-scope-missing');
    assert.equal(hint?.certainty, 'likely');
    assert.match(hint?.fix ?? '', /"system\/Patient\.read"/);
  });

  test('clients that fail at the same time are told apart', async () => {
    sandbox.setFaults(NO_FAULTS);
    const [unknown, audience] = await Promise.all([
      explainToken({ claims: { sub: 'nobody', iss: 'nobody' } }),
      explainToken({ claims: { aud: 'https://elsewhere.example/token' } }),
    ]);
    assert.equal(unknown?.[0]?.id, 'client-unknown');
    assert.equal(audience?.[0]?.id, 'assertion-aud-mismatch');
  });

  test('what succeeds is not explained', async () => {
    sandbox.setFaults(NO_FAULTS);
    assert.deepEqual(await explainToken(), []);
    assert.deepEqual(await explainSearch('system/Patient.read', {}), []);
  });
});
