/**
 * Children inherit the environment, and a crash report prints it (CWE-526, CWE-214): what the proxy got
 * there as its own secret must reach neither, and commands start no program that they do not need.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { findSecretVariables, SECRET_VARIABLES } from '../../src/commands/own-secrets.ts';
import { settings } from '../../src/config/settings.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { startCli } from '../support/cli.ts';
import { createFolder } from '../support/folder-with-key.ts';

const API_KEY = 'an-api-key-of-this-test';
const OTHER = 'a-secret-of-somebody-else';

interface Setup {
  folder: string;
  sandbox: Sandbox;
  key: string;
  run(argv: readonly string[], environment?: Record<string, string>): ReturnType<typeof startCli>;
}

/** A sandbox, and a folder with a config file that leads to it and names its secrets by variables. */
async function setUp(t: TestContext, route: object = {}): Promise<Setup> {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  const folder = createFolder(t);
  const key = JSON.stringify(sandbox.client.key);
  writeFileSync(
    join(folder, 'proxy.config.json'),
    JSON.stringify({
      listen: { port: 0, apiKey: '${MY_API_KEY}' },
      routes: [
        {
          path: '/fhir',
          upstream: sandbox.fhirBase,
          client: { id: sandbox.client.id, key: '${MY_KEY}', scopes: ['system/Patient.read'] },
          ...route,
        },
      ],
    }),
  );
  return {
    folder,
    sandbox,
    key,
    run: (argv, environment = { MY_KEY: key, MY_API_KEY: API_KEY }) =>
      startCli(argv, { cwd: folder, environment: { ...environment, OTHER }, signal: t.signal }),
  };
}

/** A part of the private key that stands nowhere else. */
function secretPart(sandbox: Sandbox): string {
  return String(sandbox.client.key.d).slice(20, 60);
}

/** A program that writes its environment into a file, in one step, and goes on. */
const dump = (file: string) => [
  'sh',
  '-c',
  `env > '${file}.part' && mv '${file}.part' '${file}'; exec sleep 60`,
];

const printEnvironment = ['--', process.execPath, '-e', 'console.log(JSON.stringify(process.env))'];

describe('the command of exec', () => {
  it('gets none of the secrets that the config file refers to, and everything else', async (t) => {
    const { run, sandbox } = await setUp(t);
    const { ended, out, err } = run(['exec', ...printEnvironment]);
    assert.equal(await ended, 0, err());
    assert.ok(!out().includes(secretPart(sandbox)) && !out().includes(API_KEY), out());
    assert.equal((JSON.parse(out()) as Record<string, string>)['OTHER'], OTHER);
  });

  it('gets none of the secrets that our own variables hold', async (t) => {
    const { run, sandbox, folder, key } = await setUp(t);
    rmSync(join(folder, 'proxy.config.json'));
    const { ended, out, err } = run(['exec', ...printEnvironment], {
      FHIR_AUTH_PROXY_UPSTREAM: sandbox.fhirBase,
      FHIR_AUTH_PROXY_CLIENT_ID: sandbox.client.id,
      FHIR_AUTH_PROXY_SCOPES: 'system/Patient.read',
      FHIR_AUTH_PROXY_KEY: key,
      FHIR_AUTH_PROXY_API_KEY: API_KEY,
    });
    assert.equal(await ended, 0, err());
    assert.ok(!out().includes(secretPart(sandbox)) && !out().includes(API_KEY), out());
  });

  it('gets them neither when the configuration does not use them', async (t) => {
    const { run, sandbox, key } = await setUp(t);
    const environment = { FHIR_AUTH_PROXY_KEY: key, FHIR_AUTH_PROXY_API_KEY: API_KEY };
    const { ended, out, err } = run(['exec', '--sandbox', ...printEnvironment], {
      ...environment,
      MY_API_KEY: API_KEY,
    });
    assert.equal(await ended, 0, err());
    assert.ok(!out().includes(secretPart(sandbox)) && !out().includes(API_KEY), out());
  });
});

describe('the program of errorLogCommand', () => {
  it('runs in start, without the secrets', async (t) => {
    const folder = createFolder(t);
    const file = join(folder, 'environment');
    const { run, sandbox } = await setUp(t, { errorLogCommand: dump(file) });
    const { outMatches, child, ended } = run(['start', '--trust']);
    await outMatches(/ready on/);
    const text = await readWhenThere(file);
    child.kill('SIGTERM');
    await ended;
    assert.ok(!text.includes(secretPart(sandbox)) && !text.includes(API_KEY), text);
    assert.ok(text.includes(`OTHER=${OTHER}`), text);
  });

  for (const argv of [
    ['token'],
    ['doctor'],
    ['exec', '--', 'true'],
    ['key', 'public'],
    ['init', '--wait', '1'],
  ]) {
    it(`does not run in ${argv.join(' ')}`, async (t) => {
      const folder = createFolder(t);
      const file = join(folder, 'environment');
      const { run } = await setUp(t, { errorLogCommand: ['touch', file] });
      await run(argv).ended;
      assert.equal(existsSync(file), false);
    });
  }

  for (const command of ['token', 'doctor', 'exec']) {
    it(`runs in ${command} when asked, without the secrets`, async (t) => {
      const folder = createFolder(t);
      const file = join(folder, 'environment');
      const { run, sandbox } = await setUp(t, { errorLogCommand: dump(file) });
      // Otherwise the command may be over before the program has begun.
      sandbox.setFaults({ 'slow-token': 1000 });
      const rest =
        command === 'exec'
          ? ['--', 'sh', '-c', `until test -s '${file}'; do sleep 0.02; done`]
          : [];
      await run([command, '--error-log-command', ...rest]).ended;
      const text = readFileSync(file, 'utf8');
      assert.ok(!text.includes(secretPart(sandbox)) && !text.includes(API_KEY), text);
    });
  }
});

describe('a diagnostic report of Node', () => {
  it('holds none of the secrets', async (t) => {
    const { run, folder, sandbox, key } = await setUp(t);
    const { child, ended, outMatches } = run(['start'], {
      MY_KEY: key,
      MY_API_KEY: API_KEY,
      FHIR_AUTH_PROXY_KEY: '',
      FHIR_AUTH_PROXY_API_KEY: API_KEY,
      NODE_OPTIONS: '--report-on-signal --report-signal=SIGUSR2',
    });
    await outMatches(/ready on/);
    child.kill('SIGUSR2');
    const name = await whenThere(() =>
      readdirSync(folder).find((each) => each.startsWith('report.')),
    );
    const text = await whenThere(() => {
      const written = readFileSync(join(folder, name), 'utf8');
      return written.trimEnd().endsWith('}') ? written : undefined;
    });
    child.kill('SIGTERM');
    await ended;
    assert.match(text, /"javascriptStack"/);
    assert.ok(!text.includes(secretPart(sandbox)) && !text.includes(API_KEY));
  });
});

describe('variables that hold a secret', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n';
  const config = (apiKey: string | undefined, clientKey: string) =>
    ({ listen: { apiKey }, routes: [{ client: { key: clientKey } }] }) as never;

  it('include every setting whose value is a secret', () => {
    const secret = settings.filter(
      ({ content, path }) => content === 'inline' || path.join('.') === 'listen.apiKey',
    );
    assert.deepEqual(
      secret.map(({ variable }) => variable).toSorted(),
      [...SECRET_VARIABLES].toSorted(),
    );
  });

  const cases: [string, Record<string, string>, unknown, string[]][] = [
    ['a key by another name', { X: key }, config(undefined, key), ['X']],
    ['with line breaks as \\n', { X: key.replaceAll('\n', '\\n') }, config(undefined, key), ['X']],
    ['an API key within a longer value', { X: `key=${API_KEY}` }, config(API_KEY, 'k.pem'), ['X']],
    ['not the path of a key file', { X: '/etc/k.pem' }, config(undefined, '/etc/k.pem'), []],
    [
      'our own, also when unused',
      { FHIR_AUTH_PROXY_KEY: 'x' },
      config(undefined, 'k'),
      ['FHIR_AUTH_PROXY_KEY'],
    ],
  ];
  for (const [title, environment, loaded, expected] of cases) {
    it(title, () => {
      assert.deepEqual(findSecretVariables(environment, loaded as never), expected);
    });
  }
});

async function readWhenThere(file: string): Promise<string> {
  return whenThere(() => (existsSync(file) && readFileSync(file, 'utf8')) || undefined);
}

/** Looks again and again: no event announces a file of another process. */
async function whenThere<Found>(look: () => Found | undefined): Promise<Found> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
