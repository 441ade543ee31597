/**
 * Secrets of the configuration: where they should not stand there is a warning, and nothing that the
 * program prints, serves or logs repeats them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { readKeyText } from '../../src/auth/key-file.ts';
import { commands } from '../../src/commands/list.ts';
import { runProgram } from '../../src/commands/program.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadTlsOptions } from '../../src/config/tls.ts';
import { followErrorLog } from '../../src/hints/error-log/follow.ts';
import { listenOnSocket } from '../../src/listen/unix-socket.ts';
import { createAuthority } from '../support/certificates.ts';
import { rs384Key } from '../support/keys.ts';
import { startProxy } from '../support/proxy.ts';
import { createTestRuntime } from '../support/runtime.ts';

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

test('values that are shown are warned about', async () => {
  const { warnings } = await load({
    log: { showValues: true },
    routes: [{ ...ROUTE, client: { id: 'a', key: 'k', scopes: SCOPES } }],
  });
  assert.match(warnings.join(), /^log\.showValues is true: /);
});

const PASTED: readonly (readonly [name: string, text: string])[] = [
  ['a PEM', KEY.pem],
  ['a PEM on one line', KEY.pem.replaceAll('\n', '\\n')],
  ['a PEM without its first line', KEY.pem.split('\n').slice(1).join('\n')],
  ['the base64 of a PEM', KEY.pem.split('\n').slice(1, -2).join('')],
  ['a JWK without its first brace', KEY.text.slice(1)],
];

for (const [name, text] of PASTED) {
  test(`${name} in place of the path of a file is not repeated`, async (t) => {
    const authority = await createAuthority();
    const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const cert = join(folder, 'cert.pem');
    writeFileSync(cert, authority.cert);
    const pasted = join(folder, text);
    const attempts = [
      () => loadTlsOptions({ insecure: false, ca: pasted }),
      () => loadTlsOptions({ insecure: false, cert: pasted, key: pasted }),
      () => loadTlsOptions({ insecure: false, cert, key: pasted }),
      () => readKeyText(pasted),
      () => listenOnSocket(createServer(), pasted),
    ];
    for (const attempt of attempts) {
      await assert.rejects(attempt(), ({ message }: Error) => {
        for (let at = 0; at + 60 < text.length; at += 30) {
          assert.ok(!message.includes(text.slice(at, at + 60)), message);
        }
        assert.match(message, /a text of \d+ characters, which is no path/);
        return true;
      });
    }
  });
}

/** Every place where a person names a file on the command line or in a setting that no TLS or key reads. */
const NAMED: readonly (readonly [name: string, argv: (path: string) => string[]])[] = [
  ['--config', (path) => ['doctor', '--config', path]],
  ['--config of start', (path) => ['start', '--config', path]],
  ['FHIR_AUTH_PROXY_CONFIG', () => ['start']],
  ['--key', (path) => ['doctor', '--key', path]],
  ['key check', (path) => ['key', 'check', path]],
  ['key public', (path) => ['key', 'public', path]],
  ['key generate', (path) => ['key', 'generate', join(path, 'new.json')]],
  ['explain', (path) => ['explain', path]],
  ['explain --exchange', (path) => ['explain', '--exchange', path]],
];

for (const [name, argv] of NAMED) {
  for (const [what, text] of PASTED) {
    test(`${name}: ${what} in place of a path is not repeated`, async (t) => {
      const cwd = mkdtempSync(join(tmpdir(), 'secrets-'));
      t.after(() => rmSync(cwd, { recursive: true }));
      // A file in the way, so that none can be made below it.
      writeFileSync(join(cwd, 'blocked'), '');
      const path = name === 'key generate' ? join('blocked', text) : text;
      const environment = name === 'FHIR_AUTH_PROXY_CONFIG' ? { [name]: path } : {};
      const runtime = createTestRuntime({ cwd, environment });
      // A value that begins with dashes is a flag to the command line's grammar.
      const code = await runProgram(argv(path.startsWith('-') ? `./${path}` : path), runtime, {
        version: '0',
      });
      assert.notEqual(code, 0);
      const told = runtime.out() + runtime.err();
      assert.ok(told.length > 20, told);
      for (let at = 30; at + 60 < text.length; at += 30) {
        assert.ok(!told.includes(text.slice(at, at + 60)), told);
      }
    });
  }
}

test('an error log that is a pasted key is not repeated', async (t) => {
  for (const [, text] of PASTED) {
    const follower = followErrorLog({ path: join('/nowhere', text) });
    t.after(() => follower.close());
    await follower.catchUp();
    const { state, reason = '' } = follower.state();
    assert.equal(state, 'waiting');
    for (let at = 30; at + 60 < text.length; at += 30) {
      assert.ok(!reason.includes(text.slice(at, at + 60)), reason);
    }
  }
});

test('the key of a client certificate that others can read is warned about', async (t) => {
  const authority = await createAuthority();
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, authority.cert);
  writeFileSync(key, authority.key, { mode: 0o640 });
  const { log } = await startProxy(t, { route: { tls: { cert, key } } });
  assert.match(log(), /"setting":"routes\[\\"\/fhir\\"\]\.tls\.key".*mode 0640\): expected 0600/);
  chmodSync(key, 0o600);
  const second = await startProxy(t, { route: { tls: { cert, key } } });
  assert.doesNotMatch(second.log(), /mode 0/);
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
