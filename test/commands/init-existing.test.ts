/** `init` where a config file is there already. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import type { ProxyConfigInput } from '../../src/config/schema.ts';
import { createSelfSignedCertificate } from '../../src/sandbox/certificate.ts';
import { type SandboxOptions, startSandbox } from '../../src/sandbox/index.ts';
import { createFolderWithKey } from '../support/folder-with-key.ts';
import { createTestRuntime } from '../support/runtime.ts';

const SCOPES = ['--scopes', 'system/Patient.read'];

async function start(t: TestContext, options: SandboxOptions = {}) {
  const sandbox = await startSandbox(options);
  t.after(() => sandbox.close());
  return { sandbox, cwd: createFolderWithKey(t) };
}

async function init(cwd: string, ...argv: string[]) {
  const runtime = createTestRuntime({ cwd });
  const code = await runProgram(['init', ...argv], runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

it('flags of a resumed init that the file leaves unused are named; those that agree with it are not', async (t) => {
  const { sandbox, cwd } = await start(t);
  const first = [sandbox.url, ...SCOPES, '--port', '18088', '--error-log', 'x.log', '--wait', '0'];
  assert.equal((await init(cwd, ...first)).code, 0);
  const text = readFileSync(join(cwd, 'proxy.config.json'), 'utf8');
  const same = await init(cwd, ...first, '--pin-certificate', 'first');
  assert.equal(same.code, 0, same.err);
  assert.doesNotMatch(same.err, /not used/);
  const cases: [string[], string][] = [
    [['--scopes', 'system/Observation.read'], '--scopes was'],
    [['--scopes', 'system/Patient.read system/Observation.read'], '--scopes was'],
    [['--port', '1', '--host', '127.0.0.2'], '--host, --port were'],
    [['--key', 'other.pem', '--ca', 'x.pem', '--write'], '--write, --key, --ca were'],
    [['--path', '/other', '--site', 'b'], '--path, --site were'],
    [
      ['--error-log', 'y.log', '--client-name', 'n', '--contact', 'c'],
      '--error-log, --client-name, --contact were',
    ],
  ];
  for (const [argv, unused] of cases) {
    const { code, err } = await init(cwd, ...argv, '--wait', '0');
    assert.equal(code, 0, err);
    assert.ok(
      err.includes(
        `warning: "proxy.config.json" is there already: ${unused} not used; edit it, or start over with --force`,
      ),
      err,
    );
  }
  assert.equal(readFileSync(join(cwd, 'proxy.config.json'), 'utf8'), text);
});

it('a resumed init does not take a default for a flag that was given', async (t) => {
  const { sandbox, cwd } = await start(t);
  const argv = [sandbox.url, ...SCOPES, '--path', '/other', '--port', '18088', '--wait', '0'];
  assert.equal((await init(cwd, ...argv)).code, 0);
  const { code, err } = await init(cwd, '--wait', '0');
  assert.equal(code, 0, err);
  assert.doesNotMatch(err, /not used/);
});

it('flags of a resumed init are judged as those of a first one', async (t) => {
  const { sandbox, cwd } = await start(t);
  assert.equal((await init(cwd, sandbox.url, ...SCOPES, '--wait', '0')).code, 0);
  for (const argv of [
    ['--port', 'abc'],
    ['--scopes', ' '],
    ['--jwks-uri', 'x'],
    ['--pin-certificate', '00:11'],
  ]) {
    const { code, err } = await init(cwd, ...argv, '--wait', '0');
    assert.equal(code, 2);
    assert.ok(err.startsWith(`error: ${argv[0]} is `), err);
  }
});

it('a resumed init compares a given fingerprint', async (t) => {
  const tls = await createSelfSignedCertificate('127.0.0.1');
  const { sandbox, cwd } = await start(t, { tls });
  const argv = [sandbox.url, ...SCOPES, '--wait', '0', '--pin-certificate'];
  assert.equal((await init(cwd, ...argv, 'first')).code, 0);
  const { code, err } = await init(cwd, ...argv, 'AA'.repeat(32));
  assert.equal(code, 1);
  assert.match(err, /has the SHA-256 .*: expected AAAA/);
});

it('a config file of nothing but a sandbox is left alone without a terminal, with what to type', async (t) => {
  const { sandbox, cwd } = await start(t);
  const file = join(cwd, 'proxy.config.json');
  const own = readFileSync(new URL('../../proxy.config.json', import.meta.url), 'utf8');
  writeFileSync(file, own);
  const argv = [sandbox.url, ...SCOPES, '--wait', '0'];
  const refused = await init(cwd, ...argv);
  assert.equal(refused.code, 2);
  const typed = `fhir-auth-proxy init ${sandbox.url} --config openemr.config.json`;
  assert.ok(refused.err.includes(typed), refused.err);
  assert.equal(readFileSync(file, 'utf8'), own);
  const other = await init(cwd, ...argv, '--config', 'openemr.config.json');
  assert.equal(other.code, 0, other.err);
  assert.match(other.err, /fhir-auth-proxy --config openemr\.config\.json/);
  assert.equal(readFileSync(file, 'utf8'), own);
  assert.equal(
    readdirSync(cwd).some((name) => name.includes('.bak')),
    false,
  );
  const config = JSON.parse(
    readFileSync(join(cwd, 'openemr.config.json'), 'utf8'),
  ) as ProxyConfigInput;
  assert.equal(config.routes[0]?.upstream, sandbox.fhirBase);
});
