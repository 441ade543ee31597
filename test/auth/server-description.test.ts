import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';

import { Agent } from 'undici';

import { guessFhirBases } from '../../src/auth/fhir-base.ts';
import { requestServerDescription } from '../../src/auth/server-description.ts';
import { allowsWriting, buildScopeChoices, spellScopes } from '../../src/auth/system-scopes.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createTestLog } from '../support/log.ts';

const V1 = ['system/Patient.read', 'system/Observation.read', 'system/*.$export'];
const V2 = [
  ...V1,
  'system/Patient.rs',
  'system/Patient.cruds',
  'system/Patient.write',
  'system/Media.rs',
  'system/Media.r',
  'system/Media.s',
];

describe('the FHIR bases that an address means', () => {
  const cases: [string, string | undefined, string[]][] = [
    [
      'https://h:9300',
      undefined,
      ['https://h:9300/apis/default/fhir', 'https://h:9300/openemr/apis/default/fhir'],
    ],
    [
      'https://h/openemr/',
      undefined,
      ['https://h/openemr/apis/default/fhir', 'https://h/openemr', 'https://h/apis/default/fhir'],
    ],
    [
      'https://h/openemr/interface/login/login.php?site=two',
      undefined,
      ['https://h/openemr/apis/two/fhir'],
    ],
    ['https://h/interface/login/login.php', 'three', ['https://h/apis/three/fhir']],
    ['https://h/apis/default/fhir/metadata', undefined, ['https://h/apis/default/fhir']],
    ['https://h/apis/two/fhir/Patient?name=x', undefined, ['https://h/apis/two/fhir']],
    ['https://h/emr/oauth2/two/token', undefined, ['https://h/emr/apis/two/fhir']],
    ['https://h/portal', undefined, ['https://h/apis/default/fhir']],
    [
      'https://h/r4/metadata',
      undefined,
      [
        'https://h/r4/apis/default/fhir',
        'https://h/r4',
        'https://h/apis/default/fhir',
        'https://h/openemr/apis/default/fhir',
      ],
    ],
    [
      'localhost:9300/apis/default/fhir',
      undefined,
      ['https://localhost:9300/apis/default/fhir', 'http://localhost:9300/apis/default/fhir'],
    ],
  ];
  for (const [address, site, expected] of cases) {
    it(`${address}${site === undefined ? '' : ` of site ${site}`}`, () => {
      assert.deepEqual(guessFhirBases(address, site), expected);
    });
  }

  it('refuses what is no address', () => {
    for (const address of ['ftp://h/x', 'https://', 'https://user:pass@h/', 'a b']) {
      assert.throws(() => guessFhirBases(address), { code: 'address-invalid' });
    }
  });
});

function options(t: TestContext) {
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  return { dispatcher, timeoutMs: 5000, clock: Date, logger: createTestLog().logger };
}

/** A server that answers paths with recorded bodies, its own origin in place of the recorded one. */
async function startRecorded(t: TestContext, bodies: Record<string, unknown>): Promise<string> {
  const server = createServer((request, response) => {
    const body = bodies[request.url ?? ''];
    if (body === undefined) response.writeHead(404).end();
    else if (typeof body === 'string') response.writeHead(301, { Location: `${url}${body}` }).end();
    else {
      const text = JSON.stringify(body).replaceAll('https://localhost:9380', url);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(text);
    }
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

function recorded(name: string): unknown {
  const file = new URL(`../fixtures/openemr-8.0.0/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { response: { body: unknown } }).response.body;
}

describe('what a server says about itself', () => {
  it('is read from any of its addresses', async (t) => {
    const sandbox = await startSandbox();
    t.after(() => sandbox.close());
    for (const path of [
      '',
      '/interface/login/login.php?site=default',
      '/oauth2/default/token',
      '/apis/default/fhir',
    ]) {
      const found = await requestServerDescription(`${sandbox.url}${path}`, options(t));
      assert.ok(!('untrusted' in found));
      assert.equal(found.fhirBase, sandbox.fhirBase);
      assert.deepEqual(found.software, { name: 'OpenEMR', version: '7.0.3' });
      assert.equal(found.fhirVersion, '4.0.1');
      assert.equal(found.tokenEndpoint, sandbox.tokenEndpoint);
      assert.equal(found.registrationEndpoint, `${sandbox.url}/oauth2/default/registration`);
      assert.ok(found.systemScopes.includes('system/Patient.read'));
      assert.ok(found.systemScopes.every((scope) => scope.startsWith('system/')));
    }
  });

  it('comes from openid-configuration on OpenEMR 8, which has no system scopes elsewhere', async (t) => {
    const url = await startRecorded(t, {
      '/apis/default/fhir/metadata': recorded('373-fhir-metadata-no-token'),
      '/apis/default/fhir/.well-known/smart-configuration': recorded(
        '379-fhir-smart-configuration-no-token',
      ),
      '/oauth2/default/.well-known/openid-configuration': {
        registration_endpoint: 'https://localhost:9380/oauth2/default/registration',
        scopes_supported: ['openid', ...V2],
      },
    });
    const found = await requestServerDescription(url, options(t));
    assert.ok(!('untrusted' in found));
    assert.deepEqual(found.software, { name: 'OpenEMR' });
    assert.deepEqual(found.systemScopes, V2);
    assert.equal(found.registrationEndpoint, `${url}/oauth2/default/registration`);
  });

  it('says what was tried when there is no FHIR API, or nobody', async (t) => {
    const url = await startRecorded(t, { '/apis/default/fhir/metadata': '/elsewhere' });
    await assert.rejects(requestServerDescription(url, options(t)), (error: Error) => {
      assert.equal((error as Error & { code: string }).code, 'server-not-found');
      assert.match(error.message, /fhir\/metadata": 301, redirected elsewhere\n.*openemr.*: 404/);
      return true;
    });
    await assert.rejects(requestServerDescription('http://127.0.0.1:1', options(t)), {
      code: 'server-unreachable',
      message: /"http:\/\/127\.0\.0\.1:1": nothing listens there/,
    });
  });
});

describe('scopes of a server', () => {
  it('are offered for reading, in v1 where there is one', () => {
    const choose = (supported: string[], write: boolean) =>
      buildScopeChoices(supported, { write }).map(({ scope }) => scope);
    assert.deepEqual(choose(V1, false), [
      'system/Observation.read',
      'system/Patient.read',
      'system/*.$export',
    ]);
    assert.deepEqual(choose(V2, false), [
      'system/Media.rs',
      'system/Observation.read',
      'system/Patient.read',
      'system/*.$export',
    ]);
    assert.deepEqual(
      choose(V2, true).filter((scope) => scope.includes('Patient')),
      ['system/Patient.read', 'system/Patient.write'],
    );
    assert.deepEqual(choose(['system/A.r', 'system/A.s', 'openid'], false), [
      'system/A.r',
      'system/A.s',
    ]);
  });

  const cases: [string, string[], string[], string[]][] = [
    ['system/Patient.read', V1, ['system/Patient.read'], []],
    ['system/Patient.rs', V1, ['system/Patient.read'], []],
    ['system/Patient.r', V1, ['system/Patient.read'], []],
    ['system/Patient.rs', V2, ['system/Patient.rs'], []],
    ['system/Patient.cu', V2, ['system/Patient.cu'], []],
    ['system/Media.read', V2, ['system/Media.rs'], []],
    ['system/Patient.cruds', V1, ['system/Patient.cruds'], ['system/Patient.cruds']],
    ['system/*.read', V1, ['system/Observation.read', 'system/Patient.read'], []],
    ['system/Patent.read', V1, ['system/Patent.read'], ['system/Patent.read']],
    ['system/*.$export', V1, ['system/*.$export'], []],
    ['system/Patient.rs?category=x', V2, ['system/Patient.rs?category=x'], []],
    ['system/Patient.read', [], ['system/Patient.read'], []],
  ];
  for (const [wanted, supported, scopes, unknown] of cases) {
    it(`${wanted} is asked for as ${scopes.join(' ')} where there is ${supported.length} of them`, () => {
      const spelt = spellScopes([wanted], supported);
      assert.deepEqual([spelt.scopes, spelt.unknown], [scopes, unknown]);
      const isChanged = scopes.length !== 1 || scopes[0] !== wanted;
      assert.equal(spelt.notes.length, isChanged ? 1 : 0);
    });
  }

  it('that change data are told apart', () => {
    assert.equal(allowsWriting(V1), false);
    assert.equal(allowsWriting(['system/Patient.read', 'system/Patient.u']), true);
    assert.equal(allowsWriting(['system/Patient.write']), true);
  });
});
