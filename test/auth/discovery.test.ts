import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import { Agent } from 'undici';

import {
  createDiscovery,
  type Discovery,
  smartConfigurationUrl,
} from '../../src/auth/discovery.ts';
import { TokenError } from '../../src/base/errors.ts';
import {
  type AuthorizationServer,
  type ScriptedAnswer,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { createCertificate } from '../support/certificates.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { rs384Key } from '../support/keys.ts';
import { createTestLog, type TestLog } from '../support/log.ts';

interface Setup {
  server: AuthorizationServer;
  discovery: Discovery;
  clock: ManualClock;
  log: TestLog;
}

function agent(t: TestContext): Agent {
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  return dispatcher;
}

async function setup(t: TestContext, timeoutMs = 5000): Promise<Setup> {
  const server = await startAuthorizationServer({ keys: [rs384Key().publicJwk] });
  t.after(() => server.close());
  const clock = createManualClock();
  const log = createTestLog();
  const discovery = createDiscovery({
    fhirBase: server.fhirBase,
    dispatcher: agent(t),
    timeoutMs,
    clock,
    logger: log.logger,
  });
  return { server, discovery, clock, log };
}

async function refuses(promise: Promise<unknown>): Promise<TokenError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TokenError, String(error));
    // It helps only where the document is missing or wrong, and the server there.
    const isWrong = error.kind === 'configuration' && error.code !== 'discovery-unreachable';
    assert.equal(error.message.endsWith('set "tokenEndpoint"'), isWrong, error.message);
    assert.equal(error.status, 503);
    return error;
  }
  assert.fail('expected a TokenError');
}

test('the address is below the FHIR base, whatever its slashes', () => {
  const cases = [
    ['https://h/apis/default/fhir', 'https://h/apis/default/fhir/.well-known/smart-configuration'],
    ['https://h/apis/default/fhir/', 'https://h/apis/default/fhir/.well-known/smart-configuration'],
    ['http://h:8080', 'http://h:8080/.well-known/smart-configuration'],
    ['https://h/fhir?x=1#y', 'https://h/fhir/.well-known/smart-configuration'],
  ] as const;
  for (const [base, expected] of cases) {
    assert.equal(smartConfigurationUrl(new URL(base)), expected);
  }
});

test('reads the SMART configuration, nested scopes and all', async (t) => {
  const { server, discovery, clock } = await setup(t);
  server.configurationOverrides = {
    issuer: server.fhirBase.href,
    jwks_uri: `${server.origin}/jwk`,
    registration_endpoint: `${server.origin}/register`,
    scopes_supported: [['system/Patient.read', ['openid']], 7, 'system/*.$export'],
  };
  assert.equal(discovery.last(), undefined);
  const configuration = await discovery.get();
  assert.deepEqual(configuration, {
    tokenEndpoint: server.tokenEndpoint,
    issuer: server.fhirBase.href,
    jwksUri: `${server.origin}/jwk`,
    registrationEndpoint: `${server.origin}/register`,
    scopesSupported: ['system/Patient.read', 'openid', 'system/*.$export'],
    grantTypesSupported: ['client_credentials'],
    tokenEndpointAuthMethodsSupported: ['private_key_jwt'],
    tokenEndpointAuthSigningAlgValuesSupported: ['RS384', 'ES384'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1'],
    fetchedAtMs: clock.now(),
  });
  assert.equal(discovery.last(), configuration);
});

test('the request carries no credential and asks for JSON', async (t) => {
  const { server, discovery } = await setup(t);
  await discovery.get();
  const [request] = server.discoveries;
  const names = request?.rawHeaders.filter((_, index) => index % 2 === 0);
  assert.deepEqual(names, ['host', 'connection', 'user-agent', 'accept']);
});

test('concurrent callers share one request; the answer holds for an hour', async (t) => {
  const { server, discovery, clock } = await setup(t);
  const all = await Promise.all(Array.from({ length: 50 }, () => discovery.get()));
  assert.equal(new Set(all).size, 1);
  clock.advance(3_599_999);
  await discovery.get();
  assert.equal(server.discoveries.length, 1);
  clock.advance(1);
  await Promise.all([discovery.get(), discovery.get()]);
  assert.equal(server.discoveries.length, 2);
  clock.advance(-7_200_000);
  await discovery.get();
  assert.equal(server.discoveries.length, 3, 'a clock that was set back means asking again');
});

test('reset means asking again; last stays', async (t) => {
  const { server, discovery } = await setup(t);
  const before = await discovery.get();
  discovery.reset();
  assert.equal(discovery.last(), before);
  server.configurationOverrides = { token_endpoint: 'https://elsewhere.example/token' };
  assert.equal((await discovery.get()).tokenEndpoint, 'https://elsewhere.example/token');
  assert.equal(server.discoveries.length, 2);
});

test('an old configuration stays in use while asking again fails, except after reset', async (t) => {
  const { server, discovery, clock, log } = await setup(t);
  await discovery.get();
  clock.advance(3_600_000);
  server.scriptDiscovery({ status: 503, body: 'down' });
  assert.equal((await discovery.get()).tokenEndpoint, server.tokenEndpoint);
  assert.match(log.entries('warn')[0]?.msg ?? '', /the old one stays in use: .*status 503/);
  assert.equal((await discovery.get()).tokenEndpoint, server.tokenEndpoint);
  assert.equal(server.discoveries.length, 2, 'not asked at every call');
  discovery.reset();
  server.scriptDiscovery({ status: 503, body: 'down' });
  assert.equal((await refuses(discovery.get())).code, 'discovery-failed');
  assert.equal((await discovery.get()).tokenEndpoint, server.tokenEndpoint);
});

test('finds JSON among HTML notices', async (t) => {
  const { server, discovery } = await setup(t);
  const json = JSON.stringify({ token_endpoint: server.tokenEndpoint });
  const notice = '<br />\n<b>Notice</b>: Key file permissions {0644} are not correct<br />\n';
  for (const body of [
    `${notice}${json}`,
    `${json}${notice.replace('{0644}', '')}`,
    `\uFEFF${json}`,
  ]) {
    server.scriptDiscovery({ status: 200, body });
    discovery.reset();
    assert.equal((await discovery.get()).tokenEndpoint, server.tokenEndpoint);
  }
});

test('refuses an answer that it cannot use, and says what to do', async (t) => {
  const { server, discovery } = await setup(t);
  const cases: [
    name: string,
    answer: ScriptedAnswer,
    code: string,
    kind: string,
    message: RegExp,
  ][] = [
    [
      '404',
      { status: 404 },
      'discovery-failed',
      'configuration',
      /status 404: expected 200; check that the upstream is a FHIR base URL/,
    ],
    ['401', { status: 401 }, 'discovery-failed', 'configuration', /status 401/],
    [
      'a redirect',
      { status: 302, headers: { location: '/elsewhere' } },
      'discovery-failed',
      'configuration',
      /status 302: expected 200; redirects are not followed: set the upstream to the final address/,
    ],
    ['500', { status: 500 }, 'discovery-failed', 'transient', /status 500/],
    [
      '429',
      { status: 429, headers: { 'retry-after': '7' } },
      'discovery-failed',
      'transient',
      /status 429/,
    ],
    [
      'HTML',
      { status: 200, body: '<html>login</html>' },
      'discovery-malformed',
      'configuration',
      /is not a JSON object/,
    ],
    [
      'half an object',
      { status: 200, body: '{"token_endpoint":"https://h' },
      'discovery-malformed',
      'configuration',
      /is not a JSON object/,
    ],
    [
      'an array',
      { status: 200, body: '[]' },
      'discovery-malformed',
      'configuration',
      /is not a JSON object/,
    ],
    [
      'no token_endpoint',
      { status: 200, body: {} },
      'discovery-malformed',
      'configuration',
      /names no "token_endpoint"/,
    ],
    [
      'a number',
      { status: 200, body: { token_endpoint: 7 } },
      'discovery-malformed',
      'configuration',
      /names no "token_endpoint"/,
    ],
    [
      'a relative URL',
      { status: 200, body: { token_endpoint: '/oauth2/default/token' } },
      'discovery-malformed',
      'configuration',
      /not an absolute http or https URL/,
    ],
    [
      'another scheme',
      { status: 200, body: { token_endpoint: 'file:///etc/passwd' } },
      'discovery-malformed',
      'configuration',
      /not an absolute http or https URL/,
    ],
    [
      'more than 1 MiB',
      { status: 200, body: `${' '.repeat(1_048_577)}{}` },
      'discovery-malformed',
      'configuration',
      /is longer than 1 MiB/,
    ],
    [
      'a cut connection',
      'reset',
      'discovery-unreachable',
      'transient',
      /the connection was closed before the answer was complete/,
    ],
  ];
  for (const [name, answer, code, kind, message] of cases) {
    await t.test(name, async () => {
      server.scriptDiscovery(answer);
      discovery.reset();
      const error = await refuses(discovery.get());
      assert.equal(error.code, code, error.message);
      assert.equal(error.kind, kind);
      assert.match(error.message, message);
      assert.ok(error.message.includes(`"${discovery.url}"`));
      if (typeof answer === 'object') assert.equal(error.answer?.status, answer.status);
      if (name === '429') assert.equal(error.retryAfterSeconds, 7);
    });
  }
});

test('an endless answer is cut off', async (t) => {
  const { server, discovery } = await setup(t);
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  server.scriptDiscovery((_request, response) => {
    response.on('close', closed);
    const more = () => {
      while (!response.destroyed && response.write('{'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  assert.match((await refuses(discovery.get())).message, /is longer than 1 MiB/);
  await isClosed;
});

test('a server that is silent, unreachable or not HTTP is told as what it is', async (t) => {
  await t.test('silent', async (t) => {
    const { server, discovery } = await setup(t, 100);
    server.scriptDiscovery('hang');
    const error = await refuses(discovery.get());
    assert.equal(error.code, 'discovery-unreachable');
    assert.equal(error.kind, 'transient');
    assert.match(error.message, /no answer came in time; .*"timeouts\.tokenMs"/);
  });
  await t.test('silent in the middle of its answer', async (t) => {
    const { server, discovery } = await setup(t, 100);
    server.scriptDiscovery((_request, response) => void response.write('{"token_endpoint":'));
    assert.match((await refuses(discovery.get())).message, /no answer came in time/);
  });
  await t.test('unreachable', async (t) => {
    const { server, discovery } = await setup(t);
    await server.close();
    const error = await refuses(discovery.get());
    assert.equal(error.kind, 'transient');
    assert.match(error.message, /nothing listens there; start the server, or correct the address/);
    assert.equal(error.answer, undefined);
  });
  await t.test('not HTTP', async (t) => {
    const server = createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const error = await refuses(discover(t, `http://127.0.0.1:${port}/fhir`).get());
    assert.equal(error.kind, 'configuration');
    assert.match(error.message, /what came back is not HTTP/);
  });
  await t.test('https asked of an http server', async (t) => {
    const port = await listen(t, 'tcp', (_request, response) => void response.end());
    const error = await refuses(discover(t, `https://127.0.0.1:${port}/fhir`).get());
    assert.equal(error.kind, 'configuration');
    assert.match(error.message, /no TLS connection could be agreed on; .*"http:"/);
  });
  await t.test('a certificate that nobody signed', async (t) => {
    const port = await listen(t, 'tls', (_request, response) => void response.end('{}'));
    const error = await refuses(discover(t, `https://127.0.0.1:${port}/fhir`).get());
    assert.equal(error.kind, 'configuration');
    assert.match(error.message, /not signed by a trusted authority; .*"tls\.ca"/);
  });
  await t.test('a name that does not exist', async (t) => {
    const error = await refuses(discover(t, 'http://nowhere.invalid/fhir').get());
    assert.match(error.message, /its host name is not known/);
  });
});

function discover(t: TestContext, fhirBase: string): Discovery {
  return createDiscovery({
    fhirBase: new URL(fhirBase),
    dispatcher: agent(t),
    timeoutMs: 5000,
    clock: createManualClock(),
    logger: createTestLog().logger,
  });
}

/** A server with a certificate of its own, or none; gives its port. */
async function listen(t: TestContext, kind: 'tcp' | 'tls', listener: RequestListener) {
  const server =
    kind === 'tcp' ? createServer(listener) : createTlsServer(await createCertificate(), listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
