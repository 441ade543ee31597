import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { createTestRuntime } from '../support/runtime.ts';

const SCOPES = ['system/Patient.read', 'system/Observation.read'];

interface Setup {
  sandbox: Sandbox;
  token(argv?: string[], isTTY?: boolean): Promise<{ code: number; out: string; err: string }>;
}

/** A sandbox and a config file that leads to it, with a second route as a decoy. */
async function setUp(
  t: TestContext,
  options: { routes?: number; errorLog?: boolean } = {},
): Promise<Setup> {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  const cwd = mkdtempSync(join(tmpdir(), 'token-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'key.json'), JSON.stringify(sandbox.client.key), { mode: 0o600 });
  const route = (path: string, scopes: readonly string[]) => ({
    path,
    upstream: sandbox.fhirBase,
    client: { id: sandbox.client.id, key: 'key.json', scopes },
    ...(options.errorLog === true ? { errorLog: sandbox.errorLog } : {}),
  });
  const routes = [route('/fhir', SCOPES), route('/other', ['system/Group.read'])];
  writeFileSync(
    join(cwd, 'proxy.config.json'),
    JSON.stringify({ routes: routes.slice(0, options.routes ?? 1) }),
  );
  return {
    sandbox,
    async token(argv = [], isTTY = false) {
      const runtime = createTestRuntime({ cwd, isTTY });
      const code = await runProgram(['token', ...argv], runtime, { version: '0' });
      return { code, out: runtime.out(), err: runtime.err() };
    },
  };
}

describe('token', () => {
  it('prints a token that the server takes, alone or as a field', async (t) => {
    const { sandbox, token } = await setUp(t);
    const plain = await token();
    assert.deepEqual([plain.code, plain.err], [0, '']);
    assert.match(plain.out, /^[\w.-]+\n$/);
    const { out } = await token(['--header']);
    assert.match(out, /^Authorization: Bearer [\w.-]+\n$/);
    for (const field of [
      `Bearer ${plain.out.trim()}`,
      out.trim().replace(/^Authorization: /, ''),
    ]) {
      const answer = await fetch(`${sandbox.fhirBase}/Patient?_count=1`, {
        headers: { Authorization: field },
      });
      assert.equal(answer.status, 200);
    }
  });

  it('prints with --json what was granted and for how long, and no assertion', async (t) => {
    const { token } = await setUp(t);
    const { out } = await token(['--json']);
    const printed = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual(Object.keys(printed), [
      'route',
      'accessToken',
      'tokenType',
      'expiresInSeconds',
      'requestedScopes',
      'grantedScopes',
    ]);
    assert.deepEqual(printed['grantedScopes'], SCOPES);
    assert.ok(
      Number(printed['expiresInSeconds']) > 280 && Number(printed['expiresInSeconds']) <= 300,
    );
  });

  it('decodes the claims with --claims and does not show the token', async (t) => {
    const { sandbox, token } = await setUp(t);
    const { out, err } = await token(['--claims'], true);
    const claims = JSON.parse(out) as Record<string, unknown>;
    assert.equal([claims['aud']].flat()[0], sandbox.client.id);
    assert.doesNotMatch(out + err, /eyJ/);
    assert.doesNotMatch(err, /credential/);
  });

  it('warns on a terminal that this is a credential', async (t) => {
    const { token } = await setUp(t);
    const { out, err } = await token([], true);
    assert.match(out, /^[\w.-]+\n$/);
    assert.match(err, /^warning: this is a credential\. .* another \d+ s/);
  });

  it('asks for a route when there are several', async (t) => {
    const { token } = await setUp(t, { routes: 2 });
    const missing = await token();
    assert.equal(missing.code, 2);
    assert.match(missing.err, /--route is missing: the configuration has "\/fhir", "\/other"/);
    const wrong = await token(['--route', '/nope']);
    assert.deepEqual([wrong.code, wrong.out], [2, '']);
    assert.match(wrong.err, /--route is "\/nope": expected "\/fhir", "\/other"/);
    const { out } = await token(['--route', 'other', '--json']);
    assert.match(out, /"route": "\/other"[^]*"system\/Group\.read"/);
  });

  it('ends with 1 and the hint when the server refuses', async (t) => {
    const { sandbox, token } = await setUp(t, { errorLog: true });
    sandbox.setFaults({ 'client-disabled': true });
    const { code, out, err } = await token();
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^error: the token endpoint "\S+" refused a token with "invalid_client"/);
    assert.match(err, /client-disabled\n +cause [^]*\n +fix [^]*"Enable Client"/);
    assert.doesNotMatch(err, /eyJ|client_assertion=/);
  });

  it('ends with 1 and the hint when the server is not there', async (t) => {
    const { sandbox, token } = await setUp(t);
    await sandbox.close();
    const { code, err } = await token();
    assert.equal(code, 1);
    assert.match(err, /nothing listens there[^]*fix/);
  });

  it('ends with 2 when there is no configuration', async () => {
    const runtime = createTestRuntime({ cwd: '/' });
    assert.equal(await runProgram(['token'], runtime, { version: '0' }), 2);
    assert.match(runtime.err(), /Run "fhir-auth-proxy init"/);
  });
});
