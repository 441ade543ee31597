/**
 * Secrets of the configuration: where they should not stand there is a warning, and nothing that the
 * program prints, serves or logs repeats them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { commands } from '../src/commands/list.ts';
import { runProgram } from '../src/commands/program.ts';
import { loadConfig } from '../src/config/load.ts';
import { rs384Key } from './support/keys.ts';
import { startProxy } from './support/proxy.ts';
import { createTestRuntime } from './support/runtime.ts';

const KEY = rs384Key();
const SCOPES = ['system/Patient.read'];
const ROUTE = { path: '/fhir', upstream: 'https://emr.example/apis/default/fhir' };

function load(config: object, environment: Record<string, string> = {}) {
  return loadConfig({ cwd: '/', text: JSON.stringify(config), environment });
}

test('a secret that stands in the config file is warned about, without being repeated', async () => {
  const apiKey = randomBytes(16).toString('hex');
  const { warnings } = await load({
    listen: { apiKey },
    routes: [{ ...ROUTE, client: { id: 'a', key: KEY.text, scopes: SCOPES } }],
  });
  const text = warnings.join('\n');
  assert.match(text, /listen\.apiKey stands in the config file itself: .* FHIR_AUTH_PROXY_API_KEY/);
  assert.match(text, /routes\[0\]\.client\.key is the private key itself: .* mode 0600/);
  assert.ok(!text.includes(apiKey));
  assert.ok(!text.includes(KEY.privateJwk.d!));
});

test('a secret that comes from the environment is not warned about', async () => {
  const { warnings } = await load(
    {
      listen: { apiKey: '${NAME}' },
      routes: [{ ...ROUTE, client: { id: 'a', key: '${KEY}', scopes: SCOPES } }],
    },
    { NAME: randomBytes(16).toString('hex'), KEY: KEY.text },
  );
  assert.deepEqual(warnings, []);
});

test('no error about the configuration repeats a secret in it', async () => {
  const apiKey = randomBytes(16).toString('hex');
  const broken = {
    listen: { apiKey, apikey: apiKey, port: apiKey },
    routes: [{ ...ROUTE, client: { id: 1, key: KEY.text, scope: KEY.text } }],
  };
  const texts = [JSON.stringify(broken), `${JSON.stringify(broken)},`, `{"listen": ${apiKey}}`];
  for (const text of texts) {
    await assert.rejects(loadConfig({ cwd: '/', text }), (error: Error) => {
      const told = inspect(error, { depth: 8, showHidden: true });
      assert.ok(!told.includes(apiKey), told);
      assert.ok(!told.includes(KEY.privateJwk.d!));
      return true;
    });
  }
});

test('neither log, answers, metrics nor inspector show the API key', async (t) => {
  const apiKey = randomBytes(16).toString('hex');
  const { fetch, watch, log } = await startProxy(t, { config: { listen: { apiKey } } });
  watch.addSecret(apiKey);
  const headers = { 'x-api-key': apiKey };
  const own = [
    '/_proxy/',
    '/_proxy/metrics',
    '/_proxy/status',
    '/_proxy/exchanges?format=har',
    '/_proxy/livez',
    '/nothing',
  ];
  for (const path of ['/fhir/Patient/1', '/.well-known/jwks.json', ...own]) {
    await fetch(path, { headers });
    await fetch(path, { headers: { 'x-api-key': `${apiKey}x` } });
    await fetch(path);
  }
  log();
  watch.assertNone();
});

test('no help page shows what the environment holds', async (t) => {
  const secret = randomBytes(16).toString('hex');
  const cwd = mkdtempSync(join(tmpdir(), 'secrets-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'proxy.config.json'), JSON.stringify({ listen: { apiKey: secret } }));
  const environment = {
    FHIR_AUTH_PROXY_API_KEY: secret,
    FHIR_AUTH_PROXY_KEY: KEY.text,
    FHIR_AUTH_PROXY_CLIENT_ID: secret,
  };
  const names = commands.map(({ name }) => name.split(' ')[0]!);
  assert.ok(names.length > 8);
  for (const argv of [['--help'], ...names.map((name) => [name, '--help'])]) {
    const runtime = createTestRuntime({ cwd, environment });
    assert.equal(await runProgram(argv, runtime, { version: '0' }), 0);
    const text = runtime.out() + runtime.err();
    assert.ok(text.length > 100);
    assert.ok(!text.includes(secret), argv.join(' '));
    assert.ok(!text.includes(KEY.privateJwk.d!));
  }
});
