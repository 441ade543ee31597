/** What matters most, end to end, against both versions that the sandbox plays: one table. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import type { Exchange } from '../../src/base/contracts.ts';
import { runProgram } from '../../src/commands/program.ts';
import { configSchema, type ProxyConfig } from '../../src/config/schema.ts';
import { runChecks } from '../../src/doctor/run-checks.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { type Sandbox, SANDBOX_VERSIONS, startSandbox } from '../../src/sandbox/index.ts';
import { createProxyServer } from '../../src/server.ts';
import { rs384Key } from '../support/keys.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRuntime } from '../support/runtime.ts';
import { createSecretWatch } from '../support/secrets.ts';

type Version = (typeof SANDBOX_VERSIONS)[number];

const KEY = rs384Key('both');

/** A proxy in front of a sandbox. */
interface Setting {
  version: Version;
  sandbox: Sandbox;
  config: ProxyConfig;
  /** URL of the proxy. */
  url: string;
  /** Asks the proxy, below its route. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The exchange of the last answer, once it is over. */
  last(): Promise<Exchange>;
  /** Lets time pass for the proxy alone, so that a token is not too young to be replaced. */
  age(ms: number): void;
  /** Access tokens that the sandbox has issued. */
  issued(): number;
}

async function set(t: TestContext, version: Version, scopes: string[]): Promise<Setting> {
  const sandbox = await startSandbox({ version, client: { key: KEY.privateJwk } });
  const config = configSchema.parse({
    listen: { port: 0 },
    routes: [
      {
        path: '/fhir',
        upstream: sandbox.fhirBase,
        errorLog: sandbox.errorLog,
        client: { id: sandbox.client.id, key: KEY.text, scopes },
      },
    ],
  });
  const watch = createSecretWatch();
  const logger = createLogger({
    format: 'json',
    level: 'debug',
    stream: watch.stream,
    color: false,
  });
  let offsetMs = 0;
  let asked = 0;
  const exchanges: Exchange[] = [];
  let wake = (): void => undefined;
  const proxy = await createProxyServer(config, {
    logger,
    clock: { now: () => Date.now() + offsetMs },
    onExchange(exchange) {
      exchanges.push(exchange);
      wake();
    },
  });
  const url = await proxy.listen();
  t.after(async () => {
    await proxy.destroy();
    await sandbox.close();
    logger.flush();
    const { d = '', p = '', q = '' } = KEY.privateJwk;
    watch.addSecret(d, p, q);
    watch.assertNone();
  });
  return {
    version,
    sandbox,
    config,
    url,
    ask(path, init) {
      asked += 1;
      return fetch(`${url}/fhir${path}`, { redirect: 'manual', ...init });
    },
    async last() {
      while (exchanges.length < asked) await new Promise<void>((resolve) => (wake = resolve));
      return exchanges[asked - 1]!;
    },
    age: (ms) => void (offsetMs += ms),
    issued: () => sandbox.state.tokens.size,
  };
}

/** One scenario, the same for every version. */
interface Scenario {
  title: string;
  scopes?: string[];
  run(setting: Setting, t: TestContext): Promise<void>;
}

/** A token that was good goes bad: one replay cures it, and the client sees only the answer. */
const cured = (title: string, spoil: (sandbox: Sandbox) => void): Scenario => ({
  title: `401 rule: ${title} is cured by one replay`,
  async run({ sandbox, ask, last, age, issued }) {
    assert.equal((await ask('/Patient?_count=1')).status, 200);
    spoil(sandbox);
    age(5_000);
    const before = issued();
    const response = await ask('/Patient?_count=1');
    assert.equal(response.status, 200, await response.text());
    assert.equal((await last()).replayed, true);
    assert.ok(issued() <= before + 1);
  },
});

/** A failure, and the hint that tells its cause. */
const explained = (
  title: string,
  cause: (setting: Setting) => Promise<Response>,
  expected: Readonly<Record<Version, { status: number; hint: string; fix?: RegExp }>>,
  scopes?: string[],
): Scenario => ({
  title: `hint: ${title}`,
  ...(scopes === undefined ? {} : { scopes }),
  async run(setting) {
    const response = await cause(setting);
    const { status, hint, fix = /./ } = expected[setting.version];
    const [first] = (await setting.last()).hints;
    assert.deepEqual([response.status, first?.id], [status, hint], await response.text());
    assert.match(first?.fix ?? '', fix);
    assert.match(response.headers.get('link') ?? '', new RegExp(`/_proxy/hints/${hint}>`));
  },
});

const alike = <T>(expected: T): Readonly<Record<Version, T>> => ({
  '7.0.3': expected,
  '8.0.0': expected,
});

const TOKEN: readonly Scenario[] = [
  {
    title: 'token: got once, used by every call, read and search and search by POST',
    async run({ ask, issued }) {
      const bundle = (await (await ask('/Patient?_count=2')).json()) as {
        entry: { resource: { id: string } }[];
      };
      const id = bundle.entry[0]?.resource.id ?? '';
      const answers = await Promise.all([
        ask(`/Patient/${id}`),
        ask('/Patient'),
        ask('/Patient/_search', {
          method: 'POST',
          body: new URLSearchParams({ _id: id }),
        }),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
      const [, , found] = await Promise.all(answers.map((answer) => answer.json()));
      assert.equal((found as { total: number }).total, 1);
      assert.equal(issued(), 1);
    },
  },
  {
    title: 'token: a scope that is asked for in v1 spelling covers search and read',
    scopes: ['system/Observation.read'],
    async run({ ask }) {
      const { entry } = (await (await ask('/Observation?_count=1')).json()) as {
        entry: { resource: { id: string } }[];
      };
      assert.equal((await ask(`/Observation/${entry[0]?.resource.id}`)).status, 200);
    },
  },
  {
    title: 'HEAD and preflight are not left to the server',
    async run({ ask, url }) {
      const head = await ask('/Patient', { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text()], [200, '']);
      const preflight = await ask('/Patient', {
        method: 'OPTIONS',
        headers: { Origin: new URL(url).origin, 'Access-Control-Request-Method': 'GET' },
      });
      assert.equal(preflight.status, 204);
    },
  },
  {
    title: 'an override of the method does not reach the server',
    async run({ ask }) {
      const response = await ask('/Patient/_search', {
        method: 'POST',
        headers: { 'X-HTTP-Method-Override': 'DELETE' },
        body: new URLSearchParams({ _count: '1' }),
      });
      assert.equal(response.status, 200);
      assert.equal(((await response.json()) as { total: number }).total, 1);
    },
  },
  {
    title: 'links: every URL of the server becomes one of the proxy, however it is spelt',
    async run({ ask, url, sandbox, version }) {
      for (const path of ['/Patient?_count=3', '/metadata', '/.well-known/smart-configuration']) {
        const text = await (await ask(path)).text();
        const plain = text.replaceAll('\\/', '/');
        const own = path.startsWith('/.well-known') ? `${url}/fhir` : `${url}/fhir/`;
        assert.ok(!plain.includes(sandbox.fhirBase), path);
        if (version === '8.0.0') {
          assert.ok(plain.includes(own), path);
          assert.ok(text.includes(own.replaceAll('/', '\\/')), 'spelt like what it replaces');
          assert.ok(!text.includes(own));
        }
        JSON.parse(text);
      }
    },
  },
  {
    title: 'version: known to the inspector as soon as the server is in use',
    async run({ ask, url, version }) {
      await ask('/Patient?_count=1');
      const status = (await (await fetch(`${url}/_proxy/status`)).json()) as {
        routes: { server?: string; v2Scopes: boolean }[];
      };
      const [route] = status.routes;
      assert.equal(route?.v2Scopes, version === '8.0.0');
      const expected = { '7.0.3': 'OpenEMR 7.0.3 or older', '8.0.0': 'OpenEMR 7.0.4 or later' };
      assert.equal(route?.server, expected[version]);
    },
  },
];

const RULE_401: readonly Scenario[] = [
  cured('a revoked token', (sandbox) => sandbox.setFaults({ 'token-revoked': 'issued' })),
  cured('an expired token', (sandbox) => sandbox.setFaults({ 'token-expired': 'issued' })),
  cured('a token whose row is gone', (sandbox) =>
    sandbox.setFaults({ 'token-row-gone': 'issued' }),
  ),
  cured('a removed trusted user (400)', ({ state }) => state.trustedUsers.clear()),
  cured('a new key pair', ({ state }) => state.keys.regenerate()),
  {
    title: '401 rule: no token storm when every token is refused',
    async run({ sandbox, ask, age, issued }) {
      sandbox.setFaults({ 'server-keys-mismatched': true });
      for (let call = 0; call < 5; call += 1) {
        age(3_000);
        assert.equal((await ask('/Patient')).status, 401);
      }
      assert.ok(issued() <= 2, `${issued()} tokens`);
    },
  },
  {
    title: '401 rule: a missing scope renews nothing',
    async run({ ask, age, issued, last }) {
      await ask('/Patient?_count=1');
      age(5_000);
      assert.equal((await ask('/Observation')).status, 401);
      assert.equal((await last()).replayed, false);
      assert.equal(issued(), 1);
    },
  },
];

const HINTS: readonly Scenario[] = [
  explained('a missing scope is named, for a search', ({ ask }) => ask('/Observation'), {
    '7.0.3': { status: 401, hint: 'fhir-scope-missing', fix: /"system\/Observation\.read"/ },
    '8.0.0': { status: 401, hint: 'fhir-scope-missing', fix: /"system\/Observation\.s"/ },
  }),
  explained(
    'a missing scope is named, for a read',
    ({ ask }) => ask('/Observation/fd9161ff-ca4c-438d-96ae-c86fd3e197aa'),
    {
      '7.0.3': { status: 401, hint: 'fhir-scope-missing', fix: /"system\/Observation\.read"/ },
      '8.0.0': { status: 401, hint: 'fhir-scope-missing', fix: /"system\/Observation\.r"/ },
    },
  ),
  explained(
    'a missing scope is named, for a create',
    ({ ask }) =>
      ask('/Patient', {
        method: 'POST',
        headers: { 'Content-Type': 'application/fhir+json' },
        body: '{"resourceType":"Patient"}',
      }),
    {
      '7.0.3': { status: 401, hint: 'fhir-scope-missing', fix: /no scope with which a system/ },
      '8.0.0': {
        status: 401,
        hint: 'fhir-scope-missing',
        fix: /Add "system\/Patient\.write" \(OpenEMR offers no "system\/Patient\.c" alone\)/,
      },
    },
  ),
  explained(
    'a missing scope is named, for an operation',
    ({ ask }) => ask('/$export'),
    alike({ status: 401, hint: 'fhir-scope-missing', fix: /"system\/\*\.\$export"/ }),
  ),
  explained('an unknown route', ({ ask }) => ask('/Nonsense'), {
    ...alike({ status: 404, hint: 'fhir-route-unknown' }),
  }),
  explained(
    'a disabled client',
    ({ sandbox, ask }) => {
      sandbox.setFaults({ 'client-disabled': true });
      return ask('/Patient');
    },
    alike({ status: 503, hint: 'client-disabled' }),
  ),
  explained(
    'clocks that differ by ten minutes',
    ({ sandbox, ask }) => {
      sandbox.setFaults({ 'clock-skew': 600 });
      return ask('/Patient');
    },
    {
      '7.0.3': { status: 503, hint: 'assertion-expired' },
      '8.0.0': { status: 503, hint: 'assertion-iat-too-old' },
    },
  ),
  explained(
    'an unknown scope',
    ({ ask }) => ask('/Patient'),
    alike({ status: 503, hint: 'scope-invalid' }),
    ['system/Nonsense.read'],
  ),
  explained(
    'v2 spelling, which only the newer version knows',
    ({ ask, version }) => ask(version === '8.0.0' ? '/Observation' : '/Patient'),
    {
      '7.0.3': { status: 503, hint: 'scope-invalid', fix: /system\/Patient\.read/ },
      '8.0.0': { status: 401, hint: 'fhir-scope-missing' },
    },
    ['system/Patient.rs'],
  ),
  explained(
    'a stopped database',
    async ({ sandbox, ask }) => {
      await ask('/Patient?_count=1');
      sandbox.setFaults({ 'database-down': true });
      return ask('/Patient');
    },
    alike({ status: 500, hint: 'db-down' }),
  ),
];

const EXPORT: readonly Scenario[] = [
  {
    title: 'export: kick-off, status, file and deletion stay on the proxy',
    scopes: [
      'system/Patient.read',
      'system/Binary.read',
      'system/Patient.$export',
      'system/*.$bulkdata-status',
    ],
    async run({ ask, url }) {
      const kickOff = await ask('/Patient/$export', {
        headers: { Accept: 'application/fhir+json', Prefer: 'respond-async' },
      });
      assert.equal(kickOff.status, 202);
      const location = kickOff.headers.get('content-location') ?? '';
      const base = `${url}/fhir`;
      assert.ok(location.startsWith(`${base}/$bulkdata-status?job=`), location);
      const at = (absolute: string) => absolute.slice(base.length);
      const { output } = (await (await ask(at(location))).json()) as { output: { url: string }[] };
      const file = output[0]?.url ?? '';
      assert.ok(file.startsWith(`${base}/Binary/`), file);
      const lines = (await (await ask(at(file))).text()).split('\n');
      assert.ok(lines.length > 10);
      for (const line of lines) assert.match(line, /^\{"id":.*"resourceType":"Patient"/);
      assert.equal((await ask(at(location), { method: 'DELETE' })).status, 202);
      assert.equal((await ask(at(file))).status, 404);
    },
  },
];

const COMMANDS: readonly Scenario[] = [
  {
    title: 'doctor finds nothing wrong, and names the version',
    async run({ config, version }) {
      const results = await runChecks(config, { logger: createTestLog().logger });
      const failed = results.filter(({ status }) => status === 'fail');
      assert.deepEqual(failed, []);
      const said = results.map(({ message }) => message).join('\n');
      assert.match(said, version === '7.0.3' ? /OpenEMR 7\.0\.3/ : /OpenEMR 8\.0\.0/);
    },
  },
  {
    title: 'init registers a client that gets data once it is enabled',
    async run({ sandbox }, t) {
      const cwd = mkdtempSync(join(tmpdir(), 'both-versions-'));
      t.after(() => rmSync(cwd, { recursive: true }));
      mkdirSync(join(cwd, 'keys'), { mode: 0o700 });
      writeFileSync(join(cwd, 'keys/private.jwk.json'), KEY.text, { mode: 0o600 });
      const runtime = createTestRuntime({ cwd });
      const argv = ['init', sandbox.url, '--scopes', 'system/Patient.read', '--json'];
      const ended = runProgram(argv, runtime, { version: '0' });
      await Promise.race([runtime.errMatches(/waiting for the client/), ended]);
      for (const client of sandbox.state.clients.values()) client.enabled = true;
      assert.equal(await ended, 0, runtime.err());
      const { answer } = JSON.parse(runtime.out()) as { answer: { status: number } };
      assert.equal(answer.status, 200);
    },
  },
];

for (const version of SANDBOX_VERSIONS) {
  describe(`against OpenEMR ${version}`, () => {
    for (const scenario of [...TOKEN, ...RULE_401, ...HINTS, ...EXPORT, ...COMMANDS]) {
      const { title, scopes = ['system/Patient.read'], run } = scenario;
      test(title, async (t) => run(await set(t, version, scopes), t));
    }
  });
}
