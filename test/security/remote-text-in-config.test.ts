/**
 * `${NAME}` in the config file is read from the environment, so text of a server that ends up in that
 * file would choose which variable is sent to it (the class of CVE-2021-44228).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, describe, it } from 'node:test';

import { decodeJwt } from 'jose';

import { escapeReferences } from '../../src/config/interpolate.ts';
import { loadConfig } from '../../src/config/load.ts';
import { startCli } from '../support/cli.ts';

const SECRET = 'the-secret-of-this-user';

/** A server that answers a registration with a client id of its choice; keeps the `iss` of assertions. */
async function startHostileServer(t: TestContext, clientId: unknown) {
  const issuers: unknown[] = [];
  const server = createServer((request, response) => void answerTo(request, response));
  const answerTo = async (request: IncomingMessage, response: ServerResponse) => {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const body = await text(request);
    const path = request.url ?? '';
    let answer: object = { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' };
    if (path.endsWith('smart-configuration')) {
      answer = {
        token_endpoint: `${origin}/oauth2/default/token`,
        registration_endpoint: `${origin}/oauth2/default/registration`,
        scopes_supported: ['system/Patient.read'],
      };
    }
    if (path.endsWith('/registration')) answer = { client_id: clientId };
    if (path.endsWith('/token')) {
      issuers.push(decodeJwt(new URLSearchParams(body).get('client_assertion') ?? '').iss);
      answer = { access_token: 't', token_type: 'Bearer', expires_in: 300 };
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, issuers };
}

async function init(t: TestContext, origin: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'remote-text-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const run = startCli(['init', origin, '--scopes', 'system/Patient.read', '--wait', '1'], {
    cwd,
    environment: { HOME: cwd, AWS_SECRET_ACCESS_KEY: SECRET },
    signal: t.signal,
  });
  const code = await run.ended;
  return { cwd, code, output: run.out() + run.err() };
}

describe('what a server says never reads the environment', () => {
  for (const clientId of [
    '${AWS_SECRET_ACCESS_KEY}',
    'a$${AWS_SECRET_ACCESS_KEY}',
    '$${',
    '${',
    '$$',
  ]) {
    it(`the client id ${clientId} stays what it is`, async (t) => {
      const { origin, issuers } = await startHostileServer(t, clientId);
      const { cwd, output } = await init(t, origin);
      const written = readFileSync(join(cwd, 'proxy.config.json'), 'utf8');
      assert.deepEqual(new Set(issuers), new Set([clientId]), output);
      const { config } = await loadConfig({
        cwd,
        environment: { AWS_SECRET_ACCESS_KEY: SECRET },
        file: 'proxy.config.json',
      });
      assert.equal(config.routes[0]?.client?.id, clientId);
      assert.ok(!`${written}${output}${JSON.stringify(issuers)}`.includes(SECRET));
    });
  }

  for (const [what, clientId] of [
    ['a line break', 'a\nb'],
    ['an escape sequence', 'a\u001b]0;owned\u0007'],
    ['a letter beyond ASCII', 'klïent'],
    ['513 characters', 'a'.repeat(513)],
  ] as const) {
    it(`a client id with ${what} is refused, and nothing is written`, async (t) => {
      const { origin, issuers } = await startHostileServer(t, clientId);
      const { cwd, code, output } = await init(t, origin);
      assert.equal(code, 1);
      assert.deepEqual(issuers, []);
      assert.throws(() => readFileSync(join(cwd, 'proxy.config.json')), /ENOENT/);
      assert.ok(!output.includes('\u001b]'), output);
    });
  }

  it('escaping is undone by reading, for every mix of dollars and braces', async () => {
    const parts = ['$', '{', '}', 'A', '${A}', '$${', '\\'];
    for (const a of parts) {
      for (const b of parts) {
        for (const c of parts) {
          const audience = `x${a}${b}${c}`;
          const { config } = await loadConfig({
            cwd: '/',
            text: JSON.stringify(
              escapeReferences({ routes: [{ path: '/fhir', upstream: 'sandbox', audience }] }),
            ),
            environment: { A: SECRET },
          });
          assert.equal(config.routes[0]?.audience, audience);
        }
      }
    }
  });
});
