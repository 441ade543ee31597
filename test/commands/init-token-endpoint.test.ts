import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, describe, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { createFolderWithKey } from '../support/folder-with-key.ts';
import { createTestRuntime } from '../support/runtime.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A FHIR server whose authorization server is another one, as with Keycloak. */
async function setUp(t: TestContext) {
  let tokenRequests = 0;
  const issuer = await serve(t, (request, response) => {
    request.resume().once('end', () => {
      tokenRequests += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          access_token: 'a-token',
          token_type: 'Bearer',
          expires_in: 300,
          scope: 'system/Patient.read',
        }),
      );
    });
  });
  const endpoint = `${issuer}/realms/fhir/token`;
  const server = await serve(t, ({ url = '' }, response) => {
    if (!/^\/r4\/(?:\.well-known|metadata|Patient)/.test(url)) {
      response.writeHead(404).end();
      return;
    }
    const body = url.endsWith('smart-configuration')
      ? { token_endpoint: endpoint, scopes_supported: ['system/Patient.read'] }
      : url.endsWith('metadata')
        ? { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' }
        : { resourceType: 'Bundle', type: 'searchset', total: 0 };
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
  });
  const cwd = createFolderWithKey(t);
  const argv = ['init', `${server}/r4`, '--client-id', 'a', '--scopes', 'system/Patient.read'];
  const config = join(cwd, 'proxy.config.json');
  return {
    endpoint,
    tokenRequests: () => tokenRequests,
    written: () => (existsSync(config) ? readFileSync(config, 'utf8') : undefined),
    async init(...more: string[]) {
      const runtime = createTestRuntime({ cwd });
      const code = await runProgram([...argv, '--wait', '1', ...more], runtime, { version: '0' });
      return { code, err: runtime.err() };
    },
    async initOnTerminal(keys: string) {
      const stdin = new PassThrough();
      const runtime = createTestRuntime({ cwd, isTTY: true });
      const onTerminal = { ...runtime, stdin: { isTTY: true, stream: stdin } };
      const ended = runProgram([...argv, '--wait', '1'], onTerminal, { version: '0' });
      await runtime.errMatches(/issue the tokens of this server/);
      stdin.write(keys);
      return { code: await ended, err: runtime.err() };
    },
  };
}

describe('init before a server whose tokens are issued elsewhere', () => {
  it('asks, and writes the token endpoint that was confirmed', async (t) => {
    const { endpoint, written, initOnTerminal } = await setUp(t);
    const { code, err } = await initOnTerminal('y');
    assert.equal(code, 0, err);
    assert.match(written() ?? '', new RegExp(`"tokenEndpoint": "${endpoint}"`));
  });

  it('writes nothing and sends nothing there when the answer is no', async (t) => {
    const { written, tokenRequests, initOnTerminal } = await setUp(t);
    const { code, err } = await initOnTerminal('n');
    assert.equal(code, 2);
    assert.match(err, /not confirmed\n.*--token-endpoint/);
    assert.deepEqual([written(), tokenRequests()], [undefined, 0]);
  });

  it('says without a terminal which flag confirms it', async (t) => {
    const { endpoint, written, tokenRequests, init } = await setUp(t);
    const { code, err } = await init();
    assert.equal(code, 2);
    assert.ok(err.includes('--token-endpoint is missing') && err.includes(`"${endpoint}"`), err);
    assert.deepEqual([written(), tokenRequests()], [undefined, 0]);
  });

  it('takes the flag for the confirmation', async (t) => {
    const { endpoint, written, tokenRequests, init } = await setUp(t);
    const { code, err } = await init('--token-endpoint', endpoint);
    assert.equal(code, 0, err);
    assert.match(written() ?? '', new RegExp(`"tokenEndpoint": "${endpoint}"`));
    assert.equal(tokenRequests() > 0, true);
  });

  it('refuses a flag that is no address', async (t) => {
    const { code, err } = await (await setUp(t)).init('--token-endpoint', 'keycloak');
    assert.equal(code, 2);
    assert.match(err, /--token-endpoint is "keycloak": expected an http or https URL/);
  });
});
