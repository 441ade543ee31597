import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { Agent } from 'undici';

import { createDiscovery, type Discovery } from '../../src/auth/discovery.ts';
import { openidConfigurationUrl } from '../../src/auth/openid-configuration.ts';
import { SANDBOX_VERSIONS, startSandbox } from '../../src/sandbox/index.ts';
import { createTestLog } from '../support/log.ts';

function discover(t: TestContext, fhirBase: string, timeoutMs = 5_000): Discovery {
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  const { logger } = createTestLog();
  return createDiscovery({
    fhirBase: new URL(fhirBase),
    dispatcher,
    timeoutMs,
    clock: Date,
    logger,
  });
}

describe('discovery', () => {
  for (const version of SANDBOX_VERSIONS) {
    test(`of OpenEMR ${version} finds the scopes of system clients and the registration endpoint`, async (t) => {
      const sandbox = await startSandbox({ version });
      t.after(() => sandbox.close());
      const discovery = discover(t, sandbox.fhirBase);
      const { scopesSupported, registrationEndpoint, tokenEndpoint } = await discovery.complete();
      assert.ok(scopesSupported.includes('system/Patient.read'));
      assert.equal(new Set(scopesSupported).size, scopesSupported.length);
      assert.equal(registrationEndpoint, `${sandbox.url}/oauth2/default/registration`);
      assert.equal(tokenEndpoint, sandbox.tokenEndpoint);
      assert.deepEqual(discovery.last()?.scopesSupported, scopesSupported);
    });
  }

  test('waits for the OpenID configuration only where it is asked to', async (t) => {
    const asked: ServerResponse[] = [];
    const server = createServer((request, response) => {
      const base = `http://${request.headers.host}`;
      if (request.url?.includes('openid') === true) asked.push(response);
      else {
        const scopes = [['patient/Patient.read']];
        const document = {
          token_endpoint: `${base}/oauth2/default/token`,
          scopes_supported: scopes,
        };
        response.end(JSON.stringify(document));
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const discovery = discover(t, `http://127.0.0.1:${port}/apis/default/fhir`);
    const complete = discovery.complete();
    assert.deepEqual((await discovery.get()).scopesSupported, ['patient/Patient.read']);
    while (asked.length === 0) await once(server, 'request');
    asked[0]?.writeHead(500).end('not JSON');
    assert.deepEqual((await complete).scopesSupported, ['patient/Patient.read']);
    assert.equal(asked.length, 1);
  });
});

test('only OpenEMR has its OpenID configuration beside the token endpoint', () => {
  const CASES: readonly [string, string | undefined][] = [
    [
      'https://ehr.example/oauth2/default/token',
      'https://ehr.example/oauth2/default/.well-known/openid-configuration',
    ],
    [
      'https://ehr.example/openemr/oauth2/clinic/token',
      'https://ehr.example/openemr/oauth2/clinic/.well-known/openid-configuration',
    ],
    ['https://ehr.example/oauth2/token', undefined],
    ['https://ehr.example/auth/token', undefined],
    ['https://ehr.example/oauth2/default/token?x=1', undefined],
  ];
  for (const [endpoint, url] of CASES)
    assert.equal(openidConfigurationUrl(endpoint), url, endpoint);
});
