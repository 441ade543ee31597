import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runProgram } from '../../src/commands/program.ts';
import type { ProxyConfigInput } from '../../src/config/schema.ts';
import type { CheckResult } from '../../src/doctor/result.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { startCli } from '../support/cli.ts';
import { rs384Key } from '../support/keys.ts';
import { type TestRuntimeOptions, createTestRuntime } from '../support/runtime.ts';
import { startSandboxProxy } from '../support/sandbox-proxy.ts';
import { createSecretWatch } from '../support/secrets.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const KEY = rs384Key('doctor-command');
const ESCAPE = '\u001B[';

let sandbox: Sandbox;
let folder: string;
before(async () => {
  sandbox = await startSandbox({ client: { key: KEY.privateJwk } });
  folder = await mkdtemp(join(tmpdir(), 'fhir-auth-proxy-doctor-'));
});
after(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `doctor` inside this process; what it printed may hold nothing secret. */
async function doctor(words: readonly string[], options: TestRuntimeOptions = {}) {
  const runtime = createTestRuntime({ cwd: folder, ...options });
  const exitCode = await runProgram(['doctor', ...words], runtime, { version: '0' });
  const watch = createSecretWatch();
  const { d = '', p = '', q = '' } = KEY.privateJwk;
  watch.addSecret(d, p, q);
  watch.addBody(runtime.out() + runtime.err());
  watch.assertNone();
  return { exitCode, out: runtime.out(), err: runtime.err() };
}

/** A config file with a route to the sandbox, and further ones. */
async function writeConfig(
  route: Partial<ProxyConfigInput['routes'][number]> = {},
  more: ProxyConfigInput['routes'] = [],
): Promise<void> {
  const first = {
    path: '/fhir',
    upstream: sandbox.fhirBase,
    errorLog: sandbox.errorLog,
    client: { id: sandbox.client.id, key: KEY.text, scopes: ['system/Patient.read'] },
    ...route,
  };
  const config: ProxyConfigInput = { listen: { port: 0 }, routes: [first, ...more] };
  await writeFile(join(folder, 'proxy.config.json'), JSON.stringify(config));
}

function withFault(t: TestContext, fault: 'client-disabled'): void {
  sandbox.setFaults({ [fault]: true });
  t.after(() => sandbox.setFaults({ [fault]: false }));
}

describe('doctor', () => {
  it('passes on the shipped config, as built', async (t) => {
    const run = startCli(['doctor'], {
      cwd: REPOSITORY,
      // Another proxy may be running on the port of the file.
      environment: { FHIR_AUTH_PROXY_PORT: '0' },
      signal: t.signal,
    });
    assert.equal(await run.ended, 0, run.out() + run.err());
    const lines = run
      .out()
      .split('\n')
      .filter((line) => /^ {2}\S/.test(line));
    assert.ok(lines.length > 20, run.out());
    for (const line of lines) assert.match(line, /^ {2}✓ /);
    assert.match(run.out(), /\n\d+ ok, 0 warnings, 0 failed\n$/);
    assert.equal(run.err(), '');
  });

  it('prints a line for each result, with hint and fix below a failed one, and ends with 1', async (t) => {
    await writeConfig();
    withFault(t, 'client-disabled');
    const { exitCode, out } = await doctor([]);
    assert.equal(exitCode, 1);
    assert.match(out, /^ {2}✓ config {9}/);
    assert.match(out, /\n\n\/fhir\n {2}✓ key /);
    assert.match(out, /\n {2}✗ token {10}the token endpoint/);
    assert.match(out, /\n {19}hint The client is registered but not enabled \(certain,\n/);
    assert.match(out, /\n {19}fix {2}In OpenEMR open Admin > System > API Clients/);
    assert.match(out, /\n {2}– not checked: granted-scopes, read \(needs "token"\)\n/);
    assert.match(out, /, 1 failed, 2 not checked\n$/);
    assert.ok(!out.includes(ESCAPE), 'neither colours nor progress without a terminal');
    for (const line of out.split('\n'))
      assert.ok(line.length <= 80 || !line.includes(' ', 20), line);
  });

  it('wraps what was not checked like everything else', async () => {
    const { port } = new URL(sandbox.url);
    await writeConfig({ upstream: `https://[::1]:${port}/fhir`, tls: { ca: 'absent.pem' } });
    const { exitCode, out } = await doctor([]);
    assert.equal(exitCode, 1);
    assert.match(out, /\n {2}✗ tls-files /);
    assert.match(out, /\n {2}– not checked: tls, fhir-base, [^\n]*\n {4}\S/);
    for (const line of out.split('\n')) {
      assert.ok(line.length <= 80 || !line.includes(' ', 20), line);
    }
  });

  it('has colours and progress on a terminal, no colours with NO_COLOR', async () => {
    await writeConfig();
    const coloured = await doctor([], { isTTY: true });
    assert.ok(coloured.out.includes(`${ESCAPE}32m✓${ESCAPE}39m`));
    assert.match(coloured.out, /… token/);
    const plain = await doctor([], { isTTY: true, environment: { NO_COLOR: '1' } });
    assert.ok(!plain.out.includes(`${ESCAPE}3`) && !plain.out.includes(`${ESCAPE}2m`), plain.out);
    assert.ok(plain.out.includes(`\r${ESCAPE}K  ✓ token`), plain.out);
  });

  it('writes words where the locale is not UTF-8', async () => {
    await writeConfig();
    for (const environment of [{ LC_ALL: 'C' }, { LANG: 'de_DE.ISO-8859-1' }]) {
      const { out } = await doctor([], { environment });
      assert.match(out, /\n {2}ok {3}token /);
      assert.doesNotMatch(out, /[✓✗]/);
    }
    const { out } = await doctor([], { environment: { LC_ALL: '', LANG: 'en_US.UTF-8' } });
    assert.match(out, /✓ token/);
  });

  it('prints JSON with the hint, for scripts', async (t) => {
    await writeConfig();
    withFault(t, 'client-disabled');
    const { exitCode, out, err } = await doctor(['--json']);
    assert.equal(exitCode, 1);
    assert.equal(err, '');
    const results = JSON.parse(out) as CheckResult[];
    assert.equal(results[0]?.check, 'config');
    const token = results.find(({ check }) => check === 'token');
    assert.equal(token?.route, '/fhir');
    assert.equal(token?.status, 'fail');
    assert.equal(token?.hint?.id, 'client-disabled');
    assert.equal(token?.fix, token?.hint?.fix);
    assert.deepEqual(
      results.filter(({ status }) => status === 'skip').map(({ check }) => check),
      ['granted-scopes', 'read'],
    );
  });

  it('ends with 2 for a config that cannot be used, in JSON too', async () => {
    await writeFile(join(folder, 'proxy.config.json'), '{"routes":[{"path":"/fhir"}],"lisden":{}}');
    const { exitCode, out, err } = await doctor([]);
    assert.equal(exitCode, 2);
    assert.equal(out, '');
    assert.match(err, /problems in the configuration[\s\S]*upstream/);
    const json = await doctor(['--json']);
    assert.equal(json.exitCode, 2);
    const results = JSON.parse(json.out) as CheckResult[];
    assert.ok(results.length >= 2);
    for (const { check, status } of results) assert.equal(`${check} ${status}`, 'config fail');
  });

  it('warns about what is dangerous in a config', async () => {
    await writeConfig({ tls: { insecure: true } });
    const { exitCode, out } = await doctor([]);
    assert.equal(exitCode, 0);
    assert.match(out, /\n {2}! config {9}routes\[0\]\.tls\.insecure is true/);
  });

  it('ends with a signal in the middle of a slow check', async () => {
    await writeConfig();
    sandbox.setFaults({ 'slow-token': 60_000 });
    const runtime = createTestRuntime({ cwd: folder, isTTY: true });
    const ended = runProgram(['doctor'], runtime, { version: '0' });
    await runtime.outMatches(/… token\b(?!-)/);
    runtime.stop('SIGINT');
    assert.equal(await ended, 130);
    sandbox.setFaults({ 'slow-token': 0 });
  });

  it('checks the route of --route, and refuses one that is not there', async () => {
    await writeConfig({}, [
      {
        path: '/other',
        upstream: 'http://127.0.0.1:9/fhir',
        client: { id: 'x', key: KEY.text, scopes: ['system/Patient.read'] },
      },
    ]);
    const { exitCode, out } = await doctor(['--route', 'fhir']);
    assert.equal(exitCode, 0);
    assert.doesNotMatch(out, /\/other/);
    const wrong = await doctor(['--route', '/fihr']);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.err, /--route is "\/fihr": expected "\/fhir", "\/other"/);
  });
});

describe('the inspector', () => {
  it('runs the same checks for a route in operation, which goes on', async (t) => {
    const url = await startSandboxProxy(t);
    const check = async () => {
      const answer = await fetch(`${url}/_proxy/routes/fhir/check`, { method: 'POST' });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as { results: { title: string; result: string }[] };
    };
    const { results } = await check();
    assert.deepEqual([...new Set(results.map(({ result }) => result))], ['pass']);
    assert.deepEqual(
      results.slice(0, 3).map(({ title }) => title),
      ['key', 'dns', 'tcp'],
    );
    assert.ok(results.some(({ title }) => title === 'read'));
    assert.equal((await fetch(`${url}/fhir/Patient`)).status, 200);
  });
});
