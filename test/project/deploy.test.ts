/**
 * The files in deploy/: compose files against the Compose specification's schema, manifests against
 * the schemas of Kubernetes and the Prometheus operator, both for unknown names as well, and what
 * they say about the proxy against its own schema.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { DCLinter } from 'dclint';
import { parse, parseAllDocuments } from 'yaml';

import { loadConfig } from '../../src/config/load.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');

interface Service {
  environment: Record<string, string>;
  read_only?: boolean;
  cap_drop?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: object;
  ports?: string[];
}
const compose = (name: string) =>
  (parse(read(name)) as { services: Record<string, Service> }).services;

/** The environment of a service with Compose's `${NAME:-default}` filled in. */
function environmentOf({ environment }: Service, values: Record<string, string> = {}) {
  return Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [
      name,
      text.replaceAll(
        /\$\{(\w+):-([^}]*)\}/g,
        (_, key: string, other: string) => values[key] ?? other,
      ),
    ]),
  );
}

interface LintResult {
  messages: { line: number; rule: string; message: string }[];
}

/** What is wrong with a compose file: place, rule and message. */
function lintCompose(path: string) {
  const linter = new DCLinter({
    rules: {
      // Order is for the reader: what depends on nothing comes first.
      'services-alphabetical-order': 0,
      'service-keys-order': 0,
      'require-quotes-in-ports': [2, { quoteType: 'double' }],
    },
    quiet: true,
    debug: false,
    exclude: [],
  });
  // Its own types do not resolve under NodeNext.
  const results = linter.lintFiles([path], false) as LintResult[];
  return results.flatMap(({ messages }) =>
    messages.map(({ line, rule, message }) => ({ line, rule, message })),
  );
}

describe('the compose files', () => {
  for (const file of ['deploy/compose.yaml', 'deploy/compose.sandbox.yaml']) {
    it(`${file} follows the Compose specification`, () => {
      assert.deepEqual(lintCompose(join(root, file)), []);
    });

    it(`${file} gives the proxy a valid configuration and no more rights than it needs`, async () => {
      const proxy = compose(file)['fhir-proxy'];
      assert.ok(proxy);
      const { config, warnings } = await loadConfig({
        cwd: '/etc/fhir-auth-proxy',
        environment: environmentOf(proxy, { FHIR_CLIENT_ID: 'demo' }),
      });
      assert.deepEqual(warnings, []);
      assert.deepEqual(config.listen.allowedHosts, ['fhir-proxy']);
      assert.equal(proxy.read_only, true);
      assert.deepEqual(proxy.cap_drop, ['ALL']);
      for (const port of proxy.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
    });
  }

  it('would be refused with a name that the specification does not have', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'compose-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'compose.yaml');
    const text = read('deploy/compose.sandbox.yaml').replace('read_only:', 'readonly:');
    writeFileSync(file, text);
    const [finding] = lintCompose(file);
    assert.match(finding?.message ?? '', /additional properties/);
  });

  it('start each service once what it needs is healthy', () => {
    const services = compose('deploy/compose.yaml');
    const needs = Object.fromEntries(
      Object.entries(services).map(([name, { depends_on }]) => [name, depends_on ?? {}]),
    );
    const healthy = { condition: 'service_healthy' };
    assert.deepEqual(needs, {
      database: {},
      openemr: { database: healthy },
      'fhir-proxy': { openemr: healthy },
      app: { 'fhir-proxy': healthy },
    });
    // The proxy's is in the image.
    for (const name of ['database', 'openemr']) assert.ok(services[name]?.healthcheck, name);
    assert.deepEqual(services['app']?.environment, { FHIR_BASE: 'http://fhir-proxy:8088/fhir' });
  });
});

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: Record<string, unknown>;
}
const manifests = parseAllDocuments(read('deploy/kubernetes.yaml')).map(
  (document) => document.toJS() as Manifest,
);

/** The module that holds the model of a manifest. */
function moduleOf({ apiVersion }: Manifest): string {
  return apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;
}

describe('the Kubernetes manifests', () => {
  it('follow the schemas of their kinds', async () => {
    assert.ok(manifests.length > 0);
    for (const manifest of manifests) {
      const models = (await import(moduleOf(manifest))) as Record<
        string,
        new (data: object) => { validate(): void }
      >;
      const Model = models[manifest.kind];
      assert.ok(Model, `${manifest.apiVersion} has no ${manifest.kind}`);
      new Model(manifest).validate();
    }
  });

  // The schemas let unknown names pass; the types do not.
  it('hold no name that their kinds do not have', async (t) => {
    const { code, out } = await compileManifests(t, manifests);
    assert.equal(code, 0, out);
    const [first, ...rest] = manifests.toReversed();
    const wrong = { ...first!, spec: { ...first!.spec, slector: {} } };
    const refused = await compileManifests(t, [wrong, ...rest]);
    assert.match(refused.out, /slector"' does not exist/);
  });

  it('give the proxy a valid configuration', async () => {
    const { data } = manifests.find(({ kind }) => kind === 'ConfigMap')!;
    const { config, warnings } = await loadConfig({
      cwd: '/etc/fhir-auth-proxy',
      text: data!['proxy.config.json'],
      environment: { FHIR_AUTH_PROXY_HOST: '0.0.0.0', FHIR_AUTH_PROXY_ALLOWED_HOSTS: '10.0.0.7' },
    });
    assert.deepEqual(warnings, []);
    assert.equal(config.routes[0]?.client?.key, '/run/secrets/fhir-auth-proxy/private.jwk.json');
  });

  it('are what the kustomization takes, image included', () => {
    const { resources, images } = parse(read('deploy/kustomization.yaml')) as {
      resources: string[];
      images: { name: string; newTag: string }[];
    };
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.deepEqual(resources, ['kubernetes.yaml']);
    assert.deepEqual(
      images.map(({ name, newTag }) => [name, newTag]),
      [['fhir-auth-proxy', version]],
    );
    assert.match(read('deploy/kubernetes.yaml'), /image: fhir-auth-proxy\n/);
  });
});

/** Compiles the manifests as object literals, which may hold known names only. */
async function compileManifests(
  t: TestContext,
  list: readonly Manifest[],
): Promise<{ code: number; out: string }> {
  // Inside the repository, so that the models are found.
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'manifests-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const lines = list.map(
    (manifest, index) =>
      `import type { I${manifest.kind} as I${index} } from '${moduleOf(manifest)}';\n` +
      `export const m${index}: I${index} = ${JSON.stringify(manifest)};\n`,
  );
  writeFileSync(join(folder, 'manifests.ts'), lines.join(''));
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--ignoreConfig',
  ];
  try {
    await promisify(execFile)(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'manifests.ts'],
      { cwd: folder },
    );
    return { code: 0, out: '' };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, out: stdout };
  }
}
