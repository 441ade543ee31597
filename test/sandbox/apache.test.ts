import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { send } from '../support/conformance/send.ts';

describe('what Apache does before PHP', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ anyHost: true });
  });
  after(() => sandbox.close());

  const ask = (target: string, method = 'GET', fields: [string, string][] = []) =>
    send({ method, origin: sandbox.url, target, fields });

  const many: [string, string][] = Array.from({ length: 101 }, (_, i) => [`X-${i}`, '1']);
  const STATUSES: readonly [string, string, string, [string, string][], number][] = [
    [
      'a target of more than 8,190 bytes',
      'GET',
      `/apis/default/fhir/metadata?${'x'.repeat(8200)}`,
      [],
      414,
    ],
    [
      'a field of more than 8,190 bytes',
      'GET',
      '/apis/default/fhir/metadata',
      [['X-Long', 'x'.repeat(8190)]],
      400,
    ],
    ['more than 100 fields', 'GET', '/apis/default/fhir/metadata', many, 400],
    ['PATCH', 'PATCH', '/apis/default/fhir/Patient/1', [], 405],
    ['an encoded slash', 'GET', '/apis/default/fhir%2Fmetadata', [], 404],
    ['a NUL', 'GET', '/apis/default/fhir/metadata%00', [], 404],
    ['an incomplete escape', 'GET', '/apis/default/fhir/metadata%2', [], 404],
    ['a path outside of OpenEMR', 'GET', '/index.html', [], 404],
    ['dot segments, resolved', 'GET', '/apis/default/x/../fhir/metadata', [], 200],
    ['doubled slashes, merged', 'GET', '/apis//default///fhir/metadata', [], 200],
    ['an encoded letter, decoded', 'GET', '/apis/default/fhir/%6detadata', [], 200],
    ['a site that is not there', 'GET', '/apis/nope/fhir/metadata', [], 400],
    ['no site', 'GET', '/apis/fhir/metadata', [], 400],
    ['the base itself, which is no API', 'GET', '/apis/default/fhir', [], 501],
    [
      'a word of the token endpoint anywhere in the path',
      'GET',
      '/oauth2/default/x/tokens',
      [],
      400,
    ],
    ['an endpoint that the sandbox does not have', 'GET', '/oauth2/default/userinfo', [], 404],
  ];
  for (const [name, method, target, fields, status] of STATUSES) {
    test(`${name}: ${status}`, async () => {
      assert.equal((await ask(target, method, fields)).status, status);
    });
  }

  test('TRACE sends the request back, Authorization field and all', async () => {
    const answer = await ask('/apis/default/fhir/Patient', 'TRACE', [
      ['Authorization', 'Bearer x'],
    ]);
    assert.equal(answer.status, 200);
    assert.match(answer.body.toString(), /^TRACE \/apis\/default\/fhir\/Patient HTTP\/1\.1\r\n/);
    assert.match(answer.body.toString(), /Authorization: Bearer x\r\n/);
  });

  test('Apache’s own pages carry no security fields, PHP’s answers do', async () => {
    const names = (answer: { fields: [string, string][] }) => answer.fields.map(([name]) => name);
    assert.ok(!names(await ask('/nowhere')).includes('Strict-Transport-Security'));
    const metadata = await ask('/apis/default/fhir/metadata');
    assert.ok(names(metadata).includes('Strict-Transport-Security'));
    assert.ok(names(metadata).includes('X-XSS-Protection'));
  });

  test('absolute URLs come from the request when the site address is empty', async () => {
    sandbox.state.settings.siteAddress = '';
    const urlOf = async (fields: [string, string][]) => {
      const answer = await ask('/oauth2/default/.well-known/openid-configuration', 'GET', fields);
      return (JSON.parse(answer.body.toString()) as { issuer: string }).issuer;
    };
    assert.equal(await urlOf([['Host', 'a.example']]), 'http://a.example/oauth2/default');
    assert.equal(
      await urlOf([
        ['Host', 'a.example'],
        ['X-Forwarded-Host', 'b.example, c.example'],
      ]),
      'http://c.example/oauth2/default',
    );
  });
});
