import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, describe, it } from 'node:test';

import type { Clock } from '../../src/base/contracts.ts';
import { configSchema, type ProxyConfigInput } from '../../src/config/schema.ts';
import { listBaseCandidates } from '../../src/doctor/base-candidates.ts';
import type { CheckResult, CheckStatus } from '../../src/doctor/result.ts';
import { runChecks } from '../../src/doctor/run-checks.ts';
import {
  type FaultSettings,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '../../src/sandbox/index.ts';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { es384Key, rs384Key } from '../support/keys.ts';
import { createTestLog } from '../support/log.ts';
import { startSandboxProxy } from '../support/sandbox-proxy.ts';
import { createSecretWatch } from '../support/secrets.ts';

type RouteInput = ProxyConfigInput['routes'][number];
type ClientInput = NonNullable<RouteInput['client']>;

/** What a test may set. */
interface Setup {
  /** A sandbox of its own; default: one that is shared by the tests of this file. */
  sandbox?: SandboxOptions;
  /** Faults of the shared one. */
  faults?: Partial<FaultSettings>;
  route?: (sandbox: Sandbox) => Partial<RouteInput>;
  client?: (sandbox: Sandbox) => Partial<ClientInput>;
  listen?: ProxyConfigInput['listen'];
  clock?: Clock;
  runsLogCommands?: boolean;
}

/** Results of a run, with questions that tests ask. */
interface Run {
  results: CheckResult[];
  sandbox: Sandbox;
  /** The only result of a check. */
  only(check: string): CheckResult;
  /** Names of the checks with this status, in order, each once. */
  named(status: CheckStatus): string[];
}

const KEY = rs384Key('doctor');
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/;

// Making the server's keys takes long; what a test changes in it, it changes back.
let shared: Promise<Sandbox> | undefined;
const share = (): Promise<Sandbox> => (shared ??= startSandbox(withKey({})));
after(async () => (await shared)?.close());

function withKey(options: SandboxOptions): SandboxOptions {
  return { client: { key: KEY.privateJwk }, ...options };
}

/** Starts a sandbox and checks a route to it; nothing secret may be in the results. */
async function examine(t: TestContext, setup: Setup = {}): Promise<Run> {
  const sandbox = await (setup.sandbox === undefined
    ? share()
    : startSandbox(withKey(setup.sandbox)));
  if (setup.sandbox !== undefined) t.after(() => sandbox.close());
  const before = { ...sandbox.state.faults };
  sandbox.setFaults(setup.faults ?? {});
  t.after(() => sandbox.setFaults(before));
  const config = configSchema.parse({
    listen: { port: 0, ...setup.listen },
    routes: [
      {
        path: '/fhir',
        upstream: sandbox.fhirBase,
        errorLog: sandbox.errorLog,
        client: {
          id: sandbox.client.id,
          key: KEY.text,
          scopes: ['system/Patient.read', 'system/Observation.read'],
          ...setup.client?.(sandbox),
        },
        ...setup.route?.(sandbox),
      },
    ],
  });
  const log = createTestLog();
  const told: CheckResult[] = [];
  const results = await runChecks(config, {
    logger: log.logger,
    onResult: (result) => told.push(result),
    runsLogCommands: setup.runsLogCommands ?? false,
    ...(setup.clock === undefined ? {} : { clock: setup.clock }),
  });
  assert.deepEqual(told, results);
  assertShape(results);
  assertNothingSecret(JSON.stringify(results));
  return {
    results,
    sandbox,
    only(check) {
      const found = results.filter((result) => result.check === check);
      assert.equal(found.length, 1, `${check}: ${JSON.stringify(found)}`);
      return found[0] as CheckResult;
    },
    named: (status) => [
      ...new Set(results.filter((each) => each.status === status).map(({ check }) => check)),
    ],
  };
}

function assertShape(results: readonly CheckResult[]): void {
  const known = new Set(['check', 'route', 'status', 'message', 'fix', 'hint']);
  for (const result of results) {
    assert.ok(
      Object.keys(result).every((key) => known.has(key)),
      JSON.stringify(result),
    );
    assert.match(result.status, /^(?:ok|warn|fail|skip)$/);
    assert.doesNotMatch(result.message, /\.$/);
    // Whoever reads of a problem is told what to do.
    if (result.status === 'fail') assert.notEqual(result.fix ?? '', '', JSON.stringify(result));
    if (result.status === 'ok') assert.equal(result.fix, undefined);
  }
}

function assertNothingSecret(text: string): void {
  const watch = createSecretWatch();
  const { d = '', p = '', q = '' } = KEY.privateJwk;
  watch.addSecret(d, p, q);
  watch.addBody(text);
  watch.assertNone();
  assert.doesNotMatch(text, UUID, 'an id of a resource');
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fhir-auth-proxy-doctor-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a setup that is right', () => {
  for (const version of ['7.0.3', '8.0.0'] as const) {
    it(`passes every check against OpenEMR ${version}`, async (t) => {
      const { results, named } = await examine(t, { sandbox: { version } });
      assert.deepEqual(named('warn'), []);
      assert.deepEqual(named('fail'), []);
      assert.deepEqual(named('skip'), []);
      assert.deepEqual(
        results.map(({ check }) => check),
        [
          'port',
          'key',
          'dns',
          'tcp',
          'tls',
          'fhir-base',
          'metadata',
          'discovery',
          'token-endpoint',
          'clock',
          'scopes',
          'token',
          'granted-scopes',
          'read',
          'read',
          'error-log',
        ],
      );
      const messages = results.map(({ message }) => message).join('\n');
      assert.match(messages, /RSA key of 2048 bits, signs RS384/);
      assert.match(
        messages,
        version === '7.0.3' ? /OpenEMR 7\.0\.3, SMART v1/ : /OpenEMR 8\.0\.0\S*, FHIR 4/,
      );
    });
  }

  it('starts a sandbox for a route to it, and stops it', async () => {
    const config = configSchema.parse({
      listen: { port: 0 },
      routes: [{ path: '/fhir', upstream: 'sandbox' }],
    });
    const results = await runChecks(config, { logger: createTestLog().logger });
    assert.ok(results.every(({ status }) => status === 'ok'));
    const base = results.find(({ check }) => check === 'fhir-base')?.message ?? '';
    const [, url = ''] = /"(http[^"]+)"/.exec(base) ?? [];
    await assert.rejects(fetch(`${url}/metadata`));
  });

  it('checks the route that is asked for, and no other', async () => {
    const config = configSchema.parse({
      listen: { port: 0 },
      routes: [
        { path: '/a', upstream: 'sandbox' },
        { path: '/b', upstream: 'sandbox' },
      ],
    });
    const results = await runChecks(config, { logger: createTestLog().logger, route: '/b' });
    assert.deepEqual([...new Set(results.map(({ route }) => route))], [undefined, '/b']);
  });
});

describe('the port', () => {
  it('fails when another program has it', async (t) => {
    const server = createServer((socket) => socket.end('SSH-2.0-other\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { status, message, fix } = (await examine(t, { listen: { port } })).only('port');
    assert.equal(status, 'fail');
    assert.match(message, /is in use by another program/);
    assert.match(fix ?? '', /--port/);
  });

  it('is fine when this proxy has it', async (t) => {
    const port = Number(new URL(await startSandboxProxy(t)).port);
    const { status, message } = (await examine(t, { listen: { port } })).only('port');
    assert.equal(status, 'ok');
    assert.match(message, /a fhir-auth-proxy is running/);
  });
});

describe('the key', () => {
  it('fails when others can read the file, and the rest is checked', async (t) => {
    const file = join(await folderFor(t), 'key.json');
    await writeFile(file, KEY.text);
    await chmod(file, 0o644);
    const run = await examine(t, { client: () => ({ key: file }) });
    const { message, fix } = run.only('key');
    assert.match(message, /can be read by others than its owner \(mode 0644\)/);
    assert.equal(fix, `Run: chmod 600 ${file}`);
    assert.deepEqual(run.named('fail'), ['key']);
    assert.deepEqual(run.named('skip'), ['token', 'granted-scopes', 'read']);
    assert.equal(run.only('read').message, 'needs "key"');
    assert.equal(run.only('scopes').status, 'ok');
  });

  it('passes for a file that only its owner reads', async (t) => {
    const file = join(await folderFor(t), 'key.json');
    await writeFile(file, KEY.text, { mode: 0o600 });
    const { status, message } = (await examine(t, { client: () => ({ key: file }) })).only('key');
    assert.equal(status, 'ok');
    assert.match(message, /readable by its owner only/);
  });

  const CASES: readonly [string, string, RegExp][] = [
    ['that is missing', '/nowhere/key.json', /does not exist/],
    ['that is no key', '{"kty":"RSA"}', /key/],
  ];
  for (const [title, key, pattern] of CASES) {
    it(`fails for one ${title}`, async (t) => {
      const { status, message } = (await examine(t, { client: () => ({ key }) })).only('key');
      assert.equal(status, 'fail');
      assert.match(message, pattern);
    });
  }

  it('warns of an EC key, which OpenEMR refuses', async (t) => {
    const run = await examine(t, { client: () => ({ key: es384Key().text }) });
    assert.equal(run.only('key').status, 'warn');
    assert.match(run.only('key').message, /OpenEMR accepts RS384 only/);
    assert.equal(run.only('token').status, 'fail');
  });
});

describe('the connection', () => {
  it('fails for a name that is not known', async (t) => {
    const run = await examine(t, {
      route: () => ({ upstream: 'http://openemr.invalid/apis/default/fhir' }),
    });
    assert.equal(run.only('dns').hint?.id, 'dns-failed');
    assert.deepEqual(run.named('fail'), ['dns']);
    assert.equal(run.only('token').message, 'needs "dns"');
  });

  it('fails for a port at which nothing listens', async (t) => {
    const port = await closedPort();
    const run = await examine(t, {
      route: () => ({ upstream: `http://127.0.0.1:${port}/apis/default/fhir` }),
    });
    assert.equal(run.only('tcp').hint?.id, 'connection-refused');
    assert.deepEqual(run.named('fail'), ['tcp']);
    assert.equal(run.only('clock').message, 'needs "tcp"');
  });
});

describe('TLS', () => {
  it('offers the exact configuration for a self-signed certificate, and reads on without a token', async (t) => {
    const tls = await createCertificate();
    const run = await examine(t, { sandbox: { tls } });
    const { message, fix = '', hint } = run.only('tls');
    assert.match(message, /DEPTH_ZERO_SELF_SIGNED_CERT/);
    assert.match(message, /for localhost, 127\.0\.0\.1, signed by itself, valid until \d{4}-/);
    assert.match(
      fix,
      /openssl s_client -connect 127\.0\.0\.1:\d+ .*"tls": \{ "ca": "openemr\.pem" \}/,
    );
    assert.match(fix, /(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.equal(hint?.id, 'upstream-tls');
    assert.deepEqual(run.named('fail'), ['tls']);
    assert.equal(run.only('discovery').status, 'ok');
    assert.deepEqual(run.named('skip'), ['token', 'granted-scopes', 'read']);
    assert.equal(run.sandbox.state.tokens.size, 0);
  });

  it('passes once that is done', async (t) => {
    const tls = await createCertificate();
    const ca = join(await folderFor(t), 'openemr.pem');
    await writeFile(ca, tls.cert);
    const run = await examine(t, { sandbox: { tls }, route: () => ({ tls: { ca } }) });
    assert.deepEqual(run.named('fail'), []);
    assert.match(run.only('tls').message, /^trusted: for localhost/);
  });

  it('names the authority of a certificate that is not trusted', async (t) => {
    const authority = await createAuthority('Clinic authority');
    const run = await examine(t, { sandbox: { tls: await createCertificate({}, authority) } });
    assert.match(run.only('tls').fix ?? '', /authority \("Clinic authority"\).*"authority\.pem"/);
  });

  it('fails for a certificate that has expired', async (t) => {
    const authority = await createAuthority();
    const tls = await createCertificate({ notAfterMs: Date.now() - 3_600_000 }, authority);
    const ca = join(await folderFor(t), 'authority.pem');
    await writeFile(ca, authority.cert);
    const run = await examine(t, { sandbox: { tls }, route: () => ({ tls: { ca } }) });
    assert.match(run.only('tls').message, /has expired \(CERT_HAS_EXPIRED\)/);
    assert.deepEqual(run.named('fail'), ['tls']);
  });

  it('shows the addresses of a certificate in their short form', async (t) => {
    const tls = await createCertificate({ addresses: ['127.0.0.1', '::1'] });
    const run = await examine(t, { sandbox: { tls } });
    assert.match(run.only('tls').message, /for localhost, 127\.0\.0\.1, ::1, signed by itself/);
  });

  it('warns of one that ends soon', async (t) => {
    const authority = await createAuthority();
    const tls = await createCertificate({ notAfterMs: Date.now() + 3 * 86_400_000 }, authority);
    const ca = join(await folderFor(t), 'authority.pem');
    await writeFile(ca, authority.cert);
    const run = await examine(t, { sandbox: { tls }, route: () => ({ tls: { ca } }) });
    assert.match(run.only('tls').message, /ends in [23] days/);
    assert.deepEqual(run.named('fail'), []);
  });

  it('proposes a name of the certificate when it is for another one', async (t) => {
    const authority = await createAuthority();
    const tls = await createCertificate({ hosts: ['openemr.test'], addresses: [] }, authority);
    const ca = join(await folderFor(t), 'authority.pem');
    await writeFile(ca, authority.cert);
    const run = await examine(t, { sandbox: { tls }, route: () => ({ tls: { ca } }) });
    assert.match(run.only('tls').message, /for another host name/);
    assert.match(run.only('tls').fix ?? '', /"tls": \{ "serverName": "openemr\.test" \}/);
    const mended = await examine(t, {
      sandbox: { tls },
      route: () => ({ tls: { ca, serverName: 'openemr.test' } }),
    });
    assert.deepEqual(mended.named('fail'), []);
  });

  it('warns of "insecure"', async (t) => {
    const tls = await createCertificate();
    const run = await examine(t, { sandbox: { tls }, route: () => ({ tls: { insecure: true } }) });
    assert.equal(run.only('tls').status, 'warn');
    assert.match(run.only('tls').message, /any certificate is accepted/);
    assert.equal(run.only('token').status, 'ok');
  });

  it('fails for a file of certificates that is missing', async (t) => {
    const tls = await createCertificate();
    const run = await examine(t, {
      sandbox: { tls },
      route: () => ({ tls: { ca: '/nowhere/openemr.pem' } }),
    });
    assert.match(
      run.only('tls-files').message,
      /tls\.ca: "\/nowhere\/openemr\.pem" does not exist/,
    );
    assert.equal(run.only('token').message, 'needs "tls-files"');
  });

  it('fails for files that are missing also when the server is down', async (t) => {
    const port = await closedPort();
    const run = await examine(t, {
      route: () => ({
        upstream: `https://127.0.0.1:${port}/apis/default/fhir`,
        tls: { ca: '/nowhere/openemr.pem' },
      }),
      client: () => ({ publish: ['/nowhere/next.jwk.json', '/nowhere/old.jwk.json'] }),
    });
    assert.deepEqual(run.named('fail'), ['published-keys', 'tls-files', 'tcp']);
    const unread = run.results.filter(({ check }) => check === 'published-keys');
    assert.deepEqual(
      unread.map(({ message }) => /"(\/nowhere\/[a-z.]+)" does not exist/.exec(message)?.[1]),
      ['/nowhere/next.jwk.json', '/nowhere/old.jwk.json'],
    );
  });

  it('tells a certificate that has changed from one that was never trusted', async (t) => {
    const trusted = await createCertificate();
    const ca = join(await folderFor(t), 'openemr.pem');
    await writeFile(ca, trusted.cert);
    const run = await examine(t, {
      sandbox: { tls: await createCertificate() },
      route: () => ({ tls: { ca } }),
    });
    const { message, fix = '', hint } = run.only('tls');
    assert.match(
      message,
      /neither in "tls\.ca" nor signed by .*new one, or somebody is in between/,
    );
    assert.match(fix, /^Compare its SHA-256 fingerprint .*: [0-9A-F:]{95}; "tls\.ca" holds /);
    assert.ok(fix.includes(new X509Certificate(trusted.cert).fingerprint256), fix);
    assert.ok(fix.includes(`> "${ca}"`), fix);
    assert.equal(hint?.id, 'upstream-tls');
    assert.match(hint.cause, /a new one, or somebody is in between/);
    assert.doesNotMatch(JSON.stringify(run.results), /insecure/);
  });
});

describe('the FHIR base', () => {
  const WRONG: readonly [title: string, path: string][] = [
    ['without the site', '/apis/fhir'],
    ['with another site', '/apis/clinic/fhir'],
    ['with the site in capitals', '/apis/Default/fhir'],
    ['below a folder', '/openemr/apis/default/fhir'],
    ['at the root', ''],
    ['of the other API', '/apis/default/api'],
    ['without its end', '/apis/default'],
    ['with a resource type', '/apis/default/fhir/Patient'],
    ['at the token endpoint', '/oauth2/default/token'],
  ];
  for (const [title, path] of WRONG) {
    it(`is proposed for a URL ${title}`, async (t) => {
      const run = await examine(t, { route: ({ url }) => ({ upstream: url + path }) });
      const { status, fix } = run.only('fhir-base');
      assert.equal(status, 'fail');
      assert.equal(fix, `Set "upstream" to "${run.sandbox.fhirBase}": a FHIR server answers there`);
      assert.equal(run.only('token').message, 'needs "fhir-base"');
    });
  }

  it('may end with a slash', async (t) => {
    const run = await examine(t, { route: ({ fhirBase }) => ({ upstream: `${fhirBase}/` }) });
    assert.deepEqual(run.named('fail'), []);
  });

  it('is proposed with https for a port that speaks TLS', async (t) => {
    const run = await examine(t, {
      sandbox: { tls: await createCertificate() },
      route: ({ fhirBase }) => ({ upstream: fhirBase.replace('https:', 'http:') }),
    });
    assert.match(
      run.only('fhir-base').fix ?? '',
      /"https:\/\/127\.0\.0\.1:\d+\/apis\/default\/fhir"/,
    );
  });

  it('is proposed with http for a port that does not', async (t) => {
    const run = await examine(t, {
      route: ({ fhirBase }) => ({ upstream: fhirBase.replace('http:', 'https:') }),
    });
    assert.deepEqual(run.named('fail'), ['tls', 'fhir-base']);
    assert.match(
      run.only('fhir-base').fix ?? '',
      /"http:\/\/127\.0\.0\.1:\d+\/apis\/default\/fhir"/,
    );
  });

  it('is not looked for elsewhere when the server is in trouble', async (t) => {
    const run = await examine(t, { faults: { 'php-fpm-down': true } });
    const { message, hint } = run.only('fhir-base');
    assert.match(message, /answered 503 with an HTML page/);
    assert.equal(hint?.id, 'backend-down');
  });

  it('is looked for on the same host only, in at most eight places', () => {
    const urls = ['https://a.example/openemr/apis/Clinic/fhir/Patient/1', 'http://a.example:8300'];
    for (const url of urls) {
      const candidates = listBaseCandidates(new URL(url));
      assert.ok(candidates.length <= 8 && candidates.length >= 3, url);
      for (const each of candidates) assert.equal(new URL(each).hostname, 'a.example');
      assert.equal(new Set(candidates).size, candidates.length);
    }
  });
});

describe('what the server announces', () => {
  it('is compared with "audience" and "tokenEndpoint"', async (t) => {
    const run = await examine(t, {
      route: ({ fhirBase, tokenEndpoint }) => ({ audience: fhirBase, tokenEndpoint }),
    });
    const { status, message } = run.only('token-endpoint');
    assert.equal(status, 'warn');
    assert.match(message, /"audience" is "http.*the server announces "http/);
    assert.equal(run.only('token').status, 'fail');
    assert.equal(run.only('token').hint?.id, 'assertion-aud-mismatch');
  });

  it('fails when OpenEMR calls itself by another address, and names the setting that helps', async (t) => {
    const port = await closedPort();
    const run = await examine(t, {
      sandbox: { settings: { siteAddress: `http://127.0.0.1:${port}` } },
    });
    assert.equal(run.only('token-endpoint').status, 'fail');
    const [, fix = ''] =
      /Set "tokenEndpoint" to "([^"]+)"/.exec(run.only('token-endpoint').fix ?? '') ?? [];
    assert.equal(fix, run.sandbox.tokenEndpoint);
    assert.equal(run.only('token').hint?.id, 'token-endpoint-elsewhere');
    const mended = await examine(t, {
      sandbox: { settings: { siteAddress: `http://127.0.0.1:${port}` } },
      route: ({ tokenEndpoint }) => ({ tokenEndpoint }),
    });
    assert.deepEqual(mended.named('fail'), []);
  });
});

describe('the clock', () => {
  it('fails when the server is behind by more than it tolerates', async (t) => {
    const run = await examine(t, { faults: { 'clock-skew': -600 } });
    assert.equal(run.only('clock').status, 'fail');
    assert.match(run.only('clock').message, /our clock is (?:599|600|601) s ahead of the server's/);
    assert.equal(run.only('token').status, 'fail');
    assert.equal(run.only('token').hint?.id, 'assertion-iat-future');
  });

  it('fails when the server is ahead by more than an assertion lives', async (t) => {
    const run = await examine(t, { faults: { 'clock-skew': 900 } });
    assert.match(run.only('clock').message, /our clock is (?:899|900|901) s behind the server's/);
    assert.equal(run.only('token').hint?.id, 'assertion-expired');
  });

  it('warns of a difference that does no harm yet', async (t) => {
    const run = await examine(t, { faults: { 'clock-skew': 40 } });
    assert.equal(run.only('clock').status, 'warn');
    assert.equal(run.only('token').status, 'ok');
  });
});

describe('scopes', () => {
  it('in v2 syntax are respelt for 7.0.3', async (t) => {
    const run = await examine(t, { client: () => ({ scopes: ['system/Patient.rs'] }) });
    assert.match(run.only('scopes').message, /"system\/Patient\.rs" is SMART v2 syntax/);
    assert.equal(run.only('scopes').fix, 'Write "system/Patient.read" in "client.scopes"');
    assert.equal(run.only('token').hint?.id, 'scope-invalid');
  });

  it('in v2 syntax are right for 8.0.0', async (t) => {
    const run = await examine(t, {
      sandbox: { version: '8.0.0' },
      client: () => ({ scopes: ['system/Patient.rs'] }),
    });
    assert.deepEqual(run.named('fail'), []);
    assert.equal(run.only('read').status, 'ok');
  });

  it('that the server does not know are named', async (t) => {
    for (const version of ['7.0.3', '8.0.0'] as const) {
      const run = await examine(t, {
        ...(version === '7.0.3' ? {} : { sandbox: { version } }),
        client: () => ({ scopes: ['system/Patient.read', 'system/Nonsense.read'] }),
      });
      assert.match(
        run.only('scopes').message,
        /^scope "system\/Nonsense\.read" names a resource type that the server does not offer/,
      );
      assert.equal(run.only('token').hint?.id, 'scope-invalid');
    }
  });

  it('that are misspelt are told the same by the check and by the hint: not offered, and what was meant', async (t) => {
    const run = await examine(t, {
      client: () => ({ scopes: ['system/Patient.read', 'system/Observatoin.read'] }),
    });
    assert.match(run.only('scopes').message, /"system\/Observatoin\.read" .*does not offer/);
    assert.match(run.only('scopes').fix ?? '', /Write "system\/Observation\.read"/);
    const { hint } = run.only('token');
    assert.equal(hint?.id, 'scope-invalid');
    assert.match(hint.cause, /does not offer\. Did you mean "system\/Observation\.read"\?/);
    assert.doesNotMatch(hint.cause, /switched off|spelling/);
  });

  it('that the client is not registered for are told as not granted', async (t) => {
    const run = await examine(t, {
      client: () => ({ scopes: ['system/Patient.read', 'system/CareTeam.read'] }),
    });
    assert.equal(run.only('scopes').status, 'ok');
    assert.equal(run.only('granted-scopes').message, 'not granted: "system/CareTeam.read"');
    assert.match(run.only('read').message, /^Patient: answered in/);
  });
});

describe('a refused token', () => {
  it('is explained for a client that is disabled', async (t) => {
    const run = await examine(t, { faults: { 'client-disabled': true } });
    const { message, hint, fix } = run.only('token');
    assert.match(message, /refused a token with "invalid_client"/);
    assert.equal(hint?.id, 'client-disabled');
    assert.equal(hint?.certainty, 'certain');
    assert.match(fix ?? '', /Enable Client/);
    assert.equal(run.only('read').message, 'needs "token"');
    assert.deepEqual(run.named('fail'), ['token']);
  });

  it('is explained for a key that is not the registered one', async (t) => {
    const run = await examine(t, { client: () => ({ key: rs384Key('another').text }) });
    assert.equal(run.only('token').hint?.id, 'assertion-sig-mismatch');
    assert.equal(run.only('token').hint?.certainty, 'certain');
  });

  it('is explained for an unknown client', async (t) => {
    const run = await examine(t, { client: () => ({ id: 'nobody-of-this-name' }) });
    assert.equal(run.only('token').hint?.id, 'client-unknown');
  });

  it('names no cause as certain without the error log', async (t) => {
    const run = await examine(t, {
      faults: { 'client-disabled': true },
      route: () => ({ errorLog: undefined }),
    });
    assert.equal(run.only('error-log').status, 'warn');
    assert.equal(run.only('token').hint?.certainty, 'likely');
  });
});

describe('a read', () => {
  it('fails when the token is refused, with the explanation', async (t) => {
    const run = await examine(t, { faults: { 'server-keys-mismatched': true } });
    const reads = run.results.filter(({ check }) => check === 'read');
    assert.deepEqual(
      reads.map(({ status, message }) => `${status} ${message}`),
      ['fail Patient: answered 401', 'fail Observation: answered 401'],
    );
    assert.equal(reads[0]?.hint?.certainty, 'certain');
  });

  it('fails when the connection is cut in the middle of the answer', async (t) => {
    const run = await examine(t, {
      faults: { 'reset-mid-body': true },
      client: () => ({ scopes: ['system/Patient.read'] }),
    });
    const failed = run.results.find(({ status }) => status === 'fail');
    assert.match(failed?.message ?? '', /the connection was closed before the answer was complete/);
  });
});

describe('the error log', () => {
  it('fails when it is not there', async (t) => {
    const run = await examine(t, { route: () => ({ errorLog: '/nowhere/error.log' }) });
    const { status, message, fix } = run.only('error-log');
    assert.equal(status, 'fail');
    assert.match(message, /"\/nowhere\/error\.log"/);
    assert.match(fix ?? '', /"errorLog"/);
    assert.deepEqual(run.named('fail'), ['error-log']);
  });

  it('fails when it may not be read', { skip: process.getuid?.() === 0 }, async (t) => {
    const file = join(await folderFor(t), 'error.log');
    await writeFile(file, '');
    await chmod(file, 0);
    const run = await examine(t, { route: () => ({ errorLog: file }) });
    assert.equal(run.only('error-log').status, 'fail');
  });

  it('fails when its command ends', async (t) => {
    const run = await examine(t, {
      route: () => ({ errorLogCommand: [process.execPath, '-e', 'process.exit(3)'] }),
      runsLogCommands: true,
    });
    assert.equal(run.only('error-log').status, 'fail');
    assert.match(run.only('error-log').fix ?? '', /by hand/);
  });

  it('fails when its command needs a while to find out that it cannot', async (t) => {
    const dies = "setTimeout(() => { console.error('no such container'); process.exit(1); }, 1500)";
    const run = await examine(t, {
      route: () => ({ errorLogCommand: [process.execPath, '-e', dies] }),
      runsLogCommands: true,
    });
    assert.equal(run.only('error-log').status, 'fail');
    assert.match(run.only('error-log').message, /no such container/);
  });

  it('fails when its command prints something and ends', async (t) => {
    const dies = "console.log('usage: …'); setTimeout(() => process.exit(2), 100)";
    const run = await examine(t, {
      route: () => ({ errorLogCommand: [process.execPath, '-e', dies] }),
      runsLogCommands: true,
    });
    assert.equal(run.only('error-log').status, 'fail');
  });

  it('is skipped when a command prints it and none may run', async (t) => {
    const proof = join(await folderFor(t), 'ran');
    const run = await examine(t, {
      route: () => ({ errorLogCommand: ['touch', proof] }),
    });
    assert.equal(run.only('error-log').status, 'skip');
    assert.match(run.only('error-log').message, /"touch" .*--error-log-command/);
    assert.equal(existsSync(proof), false);
  });

  it('passes when its command goes on', async (t) => {
    const run = await examine(t, {
      route: ({ errorLog }) => ({ errorLogCommand: ['tail', '-F', errorLog] }),
      runsLogCommands: true,
    });
    assert.equal(run.only('error-log').status, 'ok');
  });
});
