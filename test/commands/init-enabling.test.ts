/** What `init` says while a client is not enabled yet. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import type { ProxyConfigInput } from '../../src/config/schema.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { createFolderWithKey } from '../support/folder-with-key.ts';
import { createTestRuntime } from '../support/runtime.ts';

const SCOPES = ['--scopes', 'system/Patient.read'];

async function start(t: TestContext) {
  const sandbox = await startSandbox({});
  t.after(() => sandbox.close());
  return { sandbox, cwd: createFolderWithKey(t) };
}

async function run(cwd: string, ...argv: string[]) {
  const runtime = createTestRuntime({ cwd });
  const code = await runProgram(argv, runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

const clientIdOf = (cwd: string, file = 'proxy.config.json') =>
  (JSON.parse(readFileSync(join(cwd, file), 'utf8')) as ProxyConfigInput).routes[0]?.client?.id ??
  '';

function tellsWhere(text: string, { url }: Sandbox, clientId: string): void {
  assert.ok(text.includes(`${url}/interface/smart/admin-client.php`), text);
  assert.match(text, /Admin > System > API Clients > .+ > Enable Client/);
  assert.ok(text.includes(`client id  ${clientId}\n`), text);
}

it('a wait that ends says that the client is still not enabled, and where to enable it', async (t) => {
  const { sandbox, cwd } = await start(t);
  const argv = ['init', sandbox.url, ...SCOPES, '--config', 'a.json', '--wait', '1'];
  const { code, err } = await run(cwd, ...argv);
  assert.equal(code, 1);
  const end = err.slice(err.indexOf('error: '));
  assert.match(end, /^error: the client is still not enabled after 1 s\n/);
  tellsWhere(end, sandbox, clientIdOf(cwd, 'a.json'));
  assert.match(end, /\nIf it is enabled there, "fhir-auth-proxy doctor --config a\.json" looks/);
  assert.match(end, /\nRun init again to go on from here\n$/);
  assert.doesNotMatch(err, /\n +cause /);
});

it('the log line of a disabled client leaves no other cause to name', async (t) => {
  const { sandbox, cwd } = await start(t);
  const argv = ['init', sandbox.url, ...SCOPES, '--error-log', sandbox.errorLog, '--wait', '1'];
  const { err } = await run(cwd, ...argv);
  assert.match(err, /error: the client is still not enabled after 1 s\n/);
  assert.doesNotMatch(err, /other causes/);
});

it('a resumed init repeats where to enable the client, also when it does not wait', async (t) => {
  const { sandbox, cwd } = await start(t);
  const first = await run(cwd, 'init', sandbox.url, ...SCOPES, '--wait', '0');
  const clientId = clientIdOf(cwd);
  tellsWhere(first.err, sandbox, clientId);
  const unwaited = await run(cwd, 'init', '--wait', '0');
  assert.equal(unwaited.code, 0);
  tellsWhere(unwaited.err, sandbox, clientId);
  assert.match(unwaited.err, /Once it is enabled, start the proxy/);
  const waited = await run(cwd, 'init', '--wait', '1');
  const before = waited.err.slice(0, waited.err.indexOf('waiting for the client'));
  tellsWhere(before, sandbox, clientId);
  assert.match(before, /Ctrl-C stops, and running init again goes on from here\n/);
  for (const client of sandbox.state.clients.values()) client.enabled = true;
  const enabled = await run(cwd, 'init', '--wait', '1');
  assert.equal(enabled.code, 0, enabled.err);
  assert.doesNotMatch(enabled.err, /administrator|Ctrl-C|Once it is enabled/);
});

it('register shows the id of the client to enable beside its name', async (t) => {
  const { sandbox, cwd } = await start(t);
  const { out, err } = await run(cwd, 'register', sandbox.url, ...SCOPES);
  tellsWhere(err, sandbox, out.trim());
  assert.match(err, /API Clients > "fhir-auth-proxy" > Enable Client/);
});
