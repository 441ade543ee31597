import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { ConfigError, type ConfigProblem } from '../../src/base/errors.ts';
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../src/config/load.ts';

const UPSTREAM = 'https://openemr.example/apis/default/fhir';
const SCOPES = ['system/Patient.read'];
const client = { id: 'a', key: 'private.jwk.json', scopes: SCOPES };
const route = { path: '/fhir', upstream: UPSTREAM, client };

type Options = Partial<LoadConfigOptions>;

/** Loads with an object as config file. */
function load(config: unknown, options: Options = {}): Promise<LoadedConfig> {
  return loadConfig({ text: JSON.stringify(config), cwd: '/work-folder', ...options });
}

async function problemsOf(loading: Promise<unknown>): Promise<readonly ConfigProblem[]> {
  const error = await loading.then(
    () => assert.fail('loaded without a problem'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError, String(error));
  assert.equal(error.code, 'config-invalid');
  for (const { message, remedy } of error.problems) {
    assert.doesNotMatch(message, /\.$/, 'a message has no full stop');
    assert.ok(remedy, `no remedy: ${message}`);
  }
  return error.problems;
}

async function problemOf(loading: Promise<unknown>): Promise<ConfigProblem> {
  const problems = await problemsOf(loading);
  const [problem] = problems;
  assert.ok(problem);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problem;
}

function createFolder(t: TestContext, files: Record<string, string> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'config-load-')));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('where a value comes from', () => {
  const file = { routes: [route], listen: { port: 1111 } };
  const environment = { FHIR_AUTH_PROXY_PORT: '2222' };
  const flags = { port: '3333' };

  const cases: [string, Options, number][] = [
    ['the file wins over the default', {}, 1111],
    ['the environment wins over the file', { environment }, 2222],
    ['a flag wins over the environment', { environment, flags }, 3333],
    ['a flag wins over the file', { flags }, 3333],
    ['an empty variable counts as not set', { environment: { FHIR_AUTH_PROXY_PORT: ' ' } }, 1111],
    [
      'the address that Kubernetes puts under the same name for a Service is ignored',
      { environment: { FHIR_AUTH_PROXY_PORT: 'tcp://10.0.0.1:8088' } },
      1111,
    ],
  ];
  for (const [title, options, port] of cases) {
    it(title, async () => {
      assert.equal((await load(file, options)).config.listen.port, port);
    });
  }

  it('takes the default when nobody gives a value', async () => {
    const { config } = await load({ routes: [route] });
    assert.equal(config.listen.port, 8088);
    assert.equal(config.listen.host, undefined, 'both loopback addresses');
    assert.equal(config.routes[0]?.timeouts.headMs, 180_000);
    assert.equal(config.drainMs, 10_000);
  });
});

describe('the config file', () => {
  it('is proxy.config.json in the working directory when none is named', async (t) => {
    const cwd = createFolder(t, { 'proxy.config.json': JSON.stringify({ routes: [route] }) });
    const loaded = await loadConfig({ cwd });
    assert.equal(loaded.file, join(cwd, 'proxy.config.json'));
    assert.equal(loaded.config.routes[0]?.upstream, UPSTREAM);
  });

  it('is the one that the flag names, else the one that the environment names', async (t) => {
    const cwd = createFolder(t, {
      'flag.json': JSON.stringify({ routes: [{ ...route, path: '/flag' }] }),
      'environment.json': JSON.stringify({ routes: [{ ...route, path: '/environment' }] }),
      'proxy.config.json': 'not read',
    });
    const environment = { FHIR_AUTH_PROXY_CONFIG: 'environment.json' };
    const byFlag = await loadConfig({ cwd, file: 'flag.json', environment });
    assert.equal(byFlag.config.routes[0]?.path, '/flag');
    const byEnvironment = await loadConfig({ cwd, environment });
    assert.equal(byEnvironment.config.routes[0]?.path, '/environment');
  });

  it('may hold comments, trailing commas and a byte order mark', async (t) => {
    const text = `\uFEFF{
      // One route
      "routes": [{ "path": "/fhir", "upstream": "sandbox", }], /* that is all */
    }`;
    const cwd = createFolder(t, { 'proxy.config.json': text });
    assert.equal((await loadConfig({ cwd })).config.routes.length, 1);
  });

  it('gives its folder to relative paths of keys, certificates and logs', async (t) => {
    const cwd = createFolder(t);
    mkdirSync(join(cwd, 'etc'));
    const tls = { ca: 'ca.pem', cert: '../cert.pem', key: '/abs/key.pem' };
    writeFileSync(
      join(cwd, 'etc', 'proxy.json'),
      JSON.stringify({
        listen: { socket: 'run/proxy.sock' },
        routes: [
          { path: '/first', upstream: 'sandbox' },
          { ...route, tls, errorLog: 'logs/*.log' },
        ],
      }),
    );
    const { config } = await loadConfig({ cwd, file: 'etc/proxy.json' });
    assert.equal(config.listen.socket, join(cwd, 'etc', 'run', 'proxy.sock'));
    const [, loaded] = config.routes;
    assert.equal(loaded?.client?.key, join(cwd, 'etc', 'private.jwk.json'));
    assert.equal(loaded.tls.ca, join(cwd, 'etc', 'ca.pem'));
    assert.equal(loaded.tls.cert, join(cwd, 'cert.pem'));
    assert.equal(loaded.tls.key, '/abs/key.pem');
    assert.equal(loaded.errorLog, join(cwd, 'etc', 'logs', '*.log'));
  });

  for (const key of ['{"kty":"RSA"}', ' -----BEGIN PRIVATE KEY-----\nMII']) {
    it(`keeps an inline key as it is: ${key.trim().slice(0, 10)}`, async () => {
      const { config } = await load({ routes: [{ ...route, client: { ...client, key } }] });
      assert.equal(config.routes[0]?.client?.key, key);
    });
  }

  it('that is named but missing is a problem of the flag or variable that named it', async (t) => {
    const cwd = createFolder(t);
    const byFlag = await problemOf(loadConfig({ cwd, file: 'a.json' }));
    assert.equal(byFlag.path, '--config');
    assert.equal(byFlag.message, `"${join(cwd, 'a.json')}" does not exist`);
    const environment = { FHIR_AUTH_PROXY_CONFIG: 'b.json' };
    const byEnvironment = await problemOf(loadConfig({ cwd, environment }));
    assert.equal(byEnvironment.path, 'FHIR_AUTH_PROXY_CONFIG');
  });

  it('may not be a folder', async (t) => {
    const cwd = createFolder(t);
    const { message } = await problemOf(loadConfig({ cwd, file: '.' }));
    assert.equal(message, `"${cwd}" is a folder`);
  });

  it('must be UTF-8', async (t) => {
    const cwd = createFolder(t);
    writeFileSync(join(cwd, 'proxy.config.json'), Buffer.from([0x22, 0xff, 0x22]));
    const { message } = await problemOf(loadConfig({ cwd }));
    assert.equal(message, 'is not UTF-8 text');
  });

  it('is not needed when the environment gives the upstream', async (t) => {
    const cwd = createFolder(t);
    const { config, file } = await loadConfig({
      cwd,
      environment: {
        FHIR_AUTH_PROXY_UPSTREAM: UPSTREAM,
        FHIR_AUTH_PROXY_CLIENT_ID: 'a',
        FHIR_AUTH_PROXY_KEY_FILE: 'keys/private.pem',
        FHIR_AUTH_PROXY_SCOPES: 'system/Patient.read, system/Observation.read',
      },
    });
    assert.equal(file, undefined);
    const [only] = config.routes;
    assert.equal(only?.path, '/fhir');
    assert.equal(only.upstream, UPSTREAM);
    assert.equal(only.client?.key, join(cwd, 'keys/private.pem'));
    assert.deepEqual(only.client.scopes, ['system/Patient.read', 'system/Observation.read']);
  });

  it('or something else must name an upstream; init and --sandbox are offered', async (t) => {
    const cwd = createFolder(t);
    const problem = await problemOf(loadConfig({ cwd }));
    assert.equal(
      problem.message,
      `there is no such file in "${cwd}", and FHIR_AUTH_PROXY_UPSTREAM is not set`,
    );
    assert.match(problem.remedy ?? '', /fhir-auth-proxy init.*fhir-auth-proxy --sandbox/);
  });

  it('and the environment together lack names: each is asked for by its variable', async (t) => {
    const environment = { FHIR_AUTH_PROXY_UPSTREAM: UPSTREAM };
    const problems = await problemsOf(loadConfig({ cwd: createFolder(t), environment }));
    assert.deepEqual(
      problems.map(({ path, message }) => [path, message]),
      [
        ['FHIR_AUTH_PROXY_CLIENT_ID', 'is missing'],
        ['FHIR_AUTH_PROXY_KEY_FILE or FHIR_AUTH_PROXY_KEY', 'is missing'],
        ['FHIR_AUTH_PROXY_SCOPES', 'is missing'],
      ],
    );
  });
});

describe('JSON that cannot be read', () => {
  const cases: [string, string, number, number, RegExp][] = [
    ['nothing', '', 1, 1, /expected a value/],
    ['a missing value', '{\n  "listen":\n}', 3, 1, /expected a value/],
    ['a missing comma', '{"a": 1\n "b": 2}', 2, 2, /expected ","/],
    ['text without closing quote', '{\r\n"a": "b\r\n}', 2, 6, /without closing quote/],
    ['single quotes', "{'a': 1}", 1, 2, /without quotes/],
    ['more after the end', '{}\n\n  x', 3, 3, /after the end|without quotes/],
  ];
  for (const [title, text, line, column, message] of cases) {
    it(`tells line and column: ${title}`, async () => {
      const problem = await problemOf(loadConfig({ text, file: '/etc/p.json', cwd: '/' }));
      assert.equal(problem.path, '/etc/p.json');
      assert.match(problem.message, message);
      assert.deepEqual([problem.line, problem.column], [line, column]);
    });
  }

  it('never repeats the text around the error', async () => {
    const text = '{"key": secret-text-1}';
    const { message } = await problemOf(loadConfig({ text, cwd: '/' }));
    assert.doesNotMatch(message, /secret-text-1/);
  });
});

describe('the environment', () => {
  it('describes the first route and leaves the others alone', async () => {
    const second = { ...route, path: '/second' };
    const { config } = await load(
      { routes: [route, second] },
      { environment: { FHIR_AUTH_PROXY_PATH: '/first', FHIR_AUTH_PROXY_READ_ONLY: 'yes' } },
    );
    assert.deepEqual(
      config.routes.map(({ path, access }) => [path, access.readOnly]),
      [
        ['/first', true],
        ['/second', false],
      ],
    );
  });

  it('takes an inline key and turns its "\\n" into line breaks', async () => {
    const environment = {
      FHIR_AUTH_PROXY_KEY: '-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----',
    };
    const { config } = await load({ routes: [route] }, { environment });
    assert.equal(
      config.routes[0]?.client?.key,
      '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----',
    );
  });

  it('refuses a path where the key itself is expected', async () => {
    const environment = { FHIR_AUTH_PROXY_KEY: 'keys/private.pem' };
    const problem = await problemOf(load({ routes: [route] }, { environment }));
    assert.equal(problem.path, 'FHIR_AUTH_PROXY_KEY');
    assert.match(problem.remedy ?? '', /FHIR_AUTH_PROXY_KEY_FILE/);
  });

  it('refuses a key and a key file together', async () => {
    const environment = { FHIR_AUTH_PROXY_KEY: '{}', FHIR_AUTH_PROXY_KEY_FILE: 'a' };
    const problem = await problemOf(load({ routes: [route] }, { environment }));
    assert.equal(problem.message, 'is set together with FHIR_AUTH_PROXY_KEY_FILE');
  });

  it('warns about names that are not known and says which was meant', async () => {
    const environment = {
      FHIR_AUTH_PROXY_SCOPE: 'a',
      FHIR_AUTH_PROXY_XYZZY_PLUGH: 'b',
      FHIR_AUTH_PROXY_SERVICE_HOST: '10.0.0.1',
      FHIR_AUTH_PROXY_PORT_8088_TCP_ADDR: '10.0.0.1',
      OTHER: 'c',
    };
    const { warnings } = await load({ routes: [route] }, { environment });
    assert.deepEqual(warnings, [
      'environment variable FHIR_AUTH_PROXY_SCOPE is not known and was ignored; did you mean FHIR_AUTH_PROXY_SCOPES?',
      'environment variable FHIR_AUTH_PROXY_XYZZY_PLUGH is not known and was ignored',
    ]);
  });

  it('is named by its variable when a value is wrong, a flag by the flag', async () => {
    const problems = await problemsOf(
      load(
        { routes: [route] },
        {
          environment: {
            FHIR_AUTH_PROXY_PORT: '99999',
            FHIR_AUTH_PROXY_INSECURE: 'maybe',
            FHIR_AUTH_PROXY_SCOPES: '" ok',
          },
          flags: { logLevel: 'loud' },
        },
      ),
    );
    assert.deepEqual(problems.map(({ path, message }) => `${path}: ${message}`).sort(), [
      '--log-level: expected one of "debug", "info", "warn", "error", "silent"',
      'FHIR_AUTH_PROXY_INSECURE: expected true or false, got text',
      'FHIR_AUTH_PROXY_PORT: expected at most 65535',
      'FHIR_AUTH_PROXY_SCOPES: expected one scope without spaces',
    ]);
  });
});

describe('${NAME} in the file', () => {
  const environment = { HOST_NAME: 'openemr.example', PORT: '9000', EMPTY: '' };

  it('is replaced in any string, also in part of one', async () => {
    const upstream = 'https://${HOST_NAME}/apis/default/fhir';
    const { config } = await load({ routes: [{ ...route, upstream }] }, { environment });
    assert.equal(config.routes[0]?.upstream, UPSTREAM);
  });

  it('takes the type of its place when the string is nothing else', async () => {
    const { config } = await load(
      { routes: [route], listen: { port: '${PORT}' } },
      { environment },
    );
    assert.equal(config.listen.port, 9000);
  });

  it('is kept as text when it is escaped', async () => {
    const { config } = await load(
      { routes: [{ ...route, audience: '$${HOST_NAME}' }] },
      { environment },
    );
    assert.equal(config.routes[0]?.audience, '${HOST_NAME}');
  });

  it('does not look into the values that it puts in', async () => {
    const { config } = await load(
      { routes: [{ ...route, audience: 'a ${NESTED}' }] },
      { environment: { ...environment, NESTED: '${HOST_NAME}' } },
    );
    assert.equal(config.routes[0]?.audience, 'a ${HOST_NAME}');
  });

  it('names the variable that is not set', async () => {
    const problem = await problemOf(
      load({ routes: [{ ...route, audience: '${MISSING}' }] }, { environment }),
    );
    assert.equal(problem.path, 'routes[0].audience');
    assert.equal(problem.message, 'environment variable "MISSING" is not set');
    assert.match(problem.remedy ?? '', /Set MISSING/);
  });

  for (const audience of ['${', 'a ${b', '${a-b}', '${}', '${1}']) {
    it(`is refused when it is malformed: ${audience}`, async () => {
      const { message } = await problemOf(
        load({ routes: [{ ...route, audience }] }, { environment }),
      );
      assert.match(message, /without the name of an environment variable/);
    });
  }
});

describe('problems', () => {
  it('are reported all at once, in reading order, with place and remedy', async () => {
    const text = `{
  "listen": { "hots": "127.0.0.1", "port": "8088" },
  "routes": [
    { "path": "fhir", "upstream": "ftp://a" },
    { "path": "/a", "upstream": "${UPSTREAM}", "client": { "id": "", "scopes": [] } },
    { "path": "/a", "upstream": "${UPSTREAM}", "tls": { "cert": "c.pem" } }
  ],
  "routs": []
}`;
    const problems = await problemsOf(loadConfig({ text, cwd: '/' }));
    assert.deepEqual(
      problems.map(({ path, line, message }) => `${path} ${line}: ${message}`),
      [
        'listen.hots 2: unknown key "hots"',
        'listen.port 2: expected a number, got text',
        'routes[0].client 4: is missing: only the sandbox is reached without a client',
        'routes[0].path 4: expected a path such as "/fhir"',
        'routes[0].upstream 4: expected an absolute http or https URL without user, query and fragment, or one of "sandbox", "sandbox:7.0.3", "sandbox:8.0.0"',
        'routes[1].client.key 5: is missing',
        'routes[1].client.id 5: is empty',
        'routes[1].client.scopes 5: expected at least one entry',
        'routes[2].client 6: is missing: only the sandbox is reached without a client',
        'routes[2].path 6: is also the path of routes[1]',
        'routes[2].tls.key 6: is missing: "tls.cert" and "tls.key" go together',
        'routs 8: unknown key "routs"',
      ],
    );
    assert.equal(problems[0]?.remedy, 'Did you mean "host"?');
    assert.equal(problems.at(-1)?.remedy, 'Did you mean "routes"?');
  });

  it('make one message with everything a person needs', async () => {
    await assert.rejects(load({ routes: [{ ...route, upsteam: 1 }] }), {
      name: 'ConfigError',
      code: 'config-invalid',
      message:
        /^routes\[0\]\.upsteam \(line 1, column \d+\): unknown key "upsteam"\. Did you mean "upstream"\?$/,
    });
  });

  it('include a key that is written twice', async () => {
    const text = `{"routes": [{"path": "/a", "path": "/b", "upstream": "sandbox"}]}`;
    const problem = await problemOf(loadConfig({ text, cwd: '/' }));
    assert.equal(problem.path, 'routes[0].path');
    assert.equal(problem.message, 'is written more than once in the same object');
  });

  it('include a key that would reach a prototype', async () => {
    const text = `{"__proto__": {"listen": {}}, "routes": [{"path": "/a", "upstream": "sandbox"}]}`;
    assert.equal((await problemOf(loadConfig({ text, cwd: '/' }))).path, '__proto__');
  });

  for (const [title, text] of [
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '5'],
  ] as const) {
    it(`include ${title} in place of the whole configuration`, async () => {
      const problem = await problemOf(loadConfig({ text, cwd: '/' }));
      assert.equal(problem.path, '$');
      assert.match(problem.message, /^expected an object in braces, got /);
    });
  }

  it('never repeat a value: a key, a password or a pasted PEM', async () => {
    const secret = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ';
    const error = await load({
      listen: { port: secret, apiKey: `${secret} with spaces` },
      routes: [
        {
          path: secret,
          upstream: `https://user:${secret}@openemr.example`,
          client: { id: 'a', key: { d: secret }, scopes: [`${secret} x`], [secret]: 1 },
          tls: { insecure: secret },
        },
      ],
      log: { level: secret },
    }).catch((error: unknown) => error);
    assert.ok(error instanceof ConfigError);
    assert.ok(error.problems.length >= 7, error.message);
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, new RegExp(secret));
    assert.match(error.message, /unknown key of 50 characters/);
  });
});

describe('rules over several values', () => {
  const listenOn = (host: string, more: object = {}) => ({ host, ...more });
  const hostCases: [string, object, boolean][] = [
    ['localhost', listenOn('localhost'), true],
    ['127.8.9.1', listenOn('127.8.9.1'), true],
    ['::1', listenOn('::1'), true],
    ['[::1]', listenOn('[::1]'), true],
    ['0.0.0.0', listenOn('0.0.0.0'), false],
    ['::', listenOn('::'), false],
    ['a name', listenOn('proxy.example'), false],
    ['a name that only begins like loopback', listenOn('localhost.example'), false],
    ['0.0.0.0 with allowedHosts', listenOn('0.0.0.0', { allowedHosts: ['proxy.example'] }), true],
  ];
  for (const [title, listen, isFine] of hostCases) {
    it(`listening on ${title} ${isFine ? 'is fine' : 'needs allowedHosts'}`, async () => {
      const loading = load({ routes: [route], listen });
      if (isFine) {
        await loading;
      } else {
        const { path, message } = await problemOf(loading);
        assert.equal(path, 'listen.host');
        assert.match(message, /"listen\.allowedHosts" is required/);
      }
    });
  }

  it('takes the brackets off an IPv6 address to listen on', async () => {
    const { config } = await load({ routes: [route], listen: { host: '[::1]' } });
    assert.equal(config.listen.host, '::1');
  });

  const ownCases: [string, string, object, boolean][] = [
    ['localhost at the same port', 'http://localhost:8088/fhir', {}, true],
    ['the same address and port', 'http://127.0.0.1:8088/fhir', {}, true],
    ['the other loopback address', 'http://[::1]:8088/fhir', {}, true],
    ['the address that was not named', 'http://[::1]:8088/fhir', { host: '127.0.0.1' }, false],
    ['another port', 'http://localhost:8089/fhir', {}, false],
    ['another loopback address', 'http://127.0.0.2:8088/fhir', {}, false],
    [
      'loopback while listening on every address',
      'http://127.0.0.2:8088/fhir',
      { host: '0.0.0.0', allowedHosts: ['a'] },
      true,
    ],
    ['the default port of https', 'https://localhost/fhir', { port: 443 }, true],
    ['the default port of http', 'http://[::1]/fhir', { host: '::1', port: 80 }, true],
    ['any port while a free one is taken', 'http://localhost:8088/fhir', { port: 0 }, false],
  ];
  for (const [title, upstream, listen, isOwn] of ownCases) {
    it(`an upstream at ${title} is ${isOwn ? 'the proxy itself' : 'fine'}`, async () => {
      const loading = load({ routes: [{ ...route, upstream }], listen });
      if (isOwn) {
        const { path, message } = await problemOf(loading);
        assert.equal(path, 'routes[0].upstream');
        assert.match(message, /^is the address that the proxy itself listens on/);
      } else {
        await loading;
      }
    });
  }

  it('a token endpoint at the proxy itself is refused too', async () => {
    const tokenEndpoint = 'http://localhost:8088/token';
    const { path } = await problemOf(load({ routes: [{ ...route, tokenEndpoint }] }));
    assert.equal(path, 'routes[0].tokenEndpoint');
  });

  it('the sandbox needs no client', async () => {
    const { config } = await load({ routes: [{ path: '/fhir', upstream: 'sandbox' }] });
    assert.equal(config.routes[0]?.client, undefined);
  });
});

describe('warnings', () => {
  it('tell of insecure TLS, naming the server', async () => {
    const { warnings } = await load({ routes: [{ ...route, tls: { insecure: true } }] });
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^routes\[0\]\.tls\.insecure is true: any certificate.*"openemr\.example" can read tokens/,
    );
  });

  it('tell of plain http beyond this machine, and not of plain http on it', async () => {
    const far = { ...route, upstream: 'http://openemr.example/fhir' };
    const near = { ...route, path: '/near', upstream: 'http://localhost:9300/fhir' };
    const { warnings } = await load({ routes: [far, near] });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^routes\[0\]\.upstream is plain http/);
  });
});

describe('--sandbox', () => {
  const flags = { sandbox: true };

  it('needs no file', async (t) => {
    const { config } = await loadConfig({ cwd: createFolder(t), flags });
    assert.deepEqual(
      config.routes.map(({ path, upstream }) => [path, upstream]),
      [['/fhir', 'sandbox']],
    );
  });

  it('replaces the routes of file and environment and keeps the rest', async () => {
    const { config } = await load(
      { routes: [{ ...route, audience: '${NOT_SET}' }, { broken: true }], listen: { port: 1 } },
      {
        flags,
        environment: { FHIR_AUTH_PROXY_UPSTREAM: UPSTREAM, FHIR_AUTH_PROXY_LOG_LEVEL: 'warn' },
      },
    );
    assert.deepEqual(
      config.routes.map(({ path, upstream }) => [path, upstream]),
      [['/fhir', 'sandbox']],
    );
    assert.equal(config.listen.port, 1);
    assert.equal(config.log.level, 'warn');
  });
});
