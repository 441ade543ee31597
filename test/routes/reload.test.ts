import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { ConfigError } from '../../src/base/errors.ts';
import type { ProxyConfig, RouteConfig } from '../../src/config/schema.ts';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { es384Key, rs384Key } from '../support/keys.ts';
import { answerPatient, startProxy, type Started } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

/** The configuration with members merged over its first route. */
function withRoute(
  { config }: Pick<Started, 'config'>,
  members: Partial<RouteConfig>,
): ProxyConfig {
  const [first, ...others] = config.routes;
  return { ...config, routes: [{ ...first!, ...members }, ...others] };
}

/** Another FHIR server and authorization server, whose answers name it. */
async function startOther(t: TestContext, name: string) {
  const server = await startAuthorizationServer({
    keys: [rs384Key().publicJwk],
    fhir: (_request, response) => response.end(name),
  });
  t.after(() => server.close());
  return server;
}

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'reload-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function problemsOf(reloading: Promise<unknown>): Promise<string[]> {
  const error = await reloading.then(
    () => assert.fail('it was taken over'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a changed route', () => {
  test('takes the next requests; those under way end on the old one, which is closed then', async (t) => {
    let finish = () => {};
    const started = await startProxy(t, {
      fhir: () => (_, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.write('old');
        finish = () => response.end(' to the end');
      },
    });
    const other = await startOther(t, 'new');
    const underWay = request({ port: started.port, path: '/fhir/Patient' }).end();
    const [answer] = (await once(underWay, 'response')) as [NodeJS.ReadableStream];

    const { upstream } = { upstream: other.fhirBase.href };
    const report = await started.proxy.reload(withRoute(started, { upstream }));
    assert.deepEqual(report, { added: [], changed: ['/fhir'], removed: [], needsRestart: [] });
    assert.equal(await (await started.fetch('/fhir/Patient')).text(), 'new');
    assert.equal(started.proxy.describe()[0]?.upstream, upstream);

    finish();
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    assert.equal(body, 'old to the end');
    await started.over(2);
    assert.equal(started.exchanges.at(-1)?.outcome, 'forwarded');
  });

  test('that had a token has one before it takes over: no request waits', async (t) => {
    const started = await startProxy(t);
    const other = await startOther(t, 'new');
    await started.fetch('/fhir/Patient');
    await started.proxy.reload(withRoute(started, { upstream: other.fhirBase.href }));
    assert.equal(other.requests.length, 1);
    await started.fetch('/fhir/Patient');
    assert.equal(started.exchanges.at(-1)?.tokenOrigin, 'cached');
  });

  test('that never asked for a token asks for none', async (t) => {
    const started = await startProxy(t);
    const other = await startOther(t, 'new');
    await started.proxy.reload(withRoute(started, { upstream: other.fhirBase.href }));
    assert.equal(other.requests.length, 0);
  });
});

test('a route that did not change keeps its token and its connections', async (t) => {
  const started = await startProxy(t);
  const { proxy, config, fetch, authorization, exchanges } = started;
  await fetch('/fhir/Patient');
  const [route] = config.routes;
  const added = { ...route!, path: '/second' };
  const report = await proxy.reload({ ...config, routes: [structuredClone(route!), added] });
  assert.deepEqual(report, { added: ['/second'], changed: [], removed: [], needsRestart: [] });
  await fetch('/fhir/Patient');
  assert.equal(exchanges.at(-1)?.tokenOrigin, 'cached');
  assert.equal(authorization.requests.length, 1);
  assert.equal((await fetch('/second/Patient')).status, 200);

  const removed = await proxy.reload({ ...config, routes: [added] });
  assert.deepEqual(removed.removed, ['/fhir']);
  assert.equal((await fetch('/fhir/Patient')).status, 404);
  assert.equal((await fetch('/second/Patient')).status, 200);
  assert.equal(authorization.requests.length, 2);
});

test('access rules and allowed hosts change without a new token', async (t) => {
  const started = await startProxy(t);
  const { proxy, config, port, authorization, fetch } = started;
  await fetch('/fhir/Patient');
  const head = rawHead(['GET /fhir/Observation HTTP/1.1', 'Host: proxy.example']);
  const status = async () => (await rawRequest(head, { port })).answers[0]?.status;
  assert.equal(await status(), 403);
  const listen = { ...config.listen, allowedHosts: ['proxy.example'] };
  await proxy.reload({ ...config, listen });
  assert.equal(await status(), 200);
  const access = { ...config.routes[0]!.access, deny: ['Observation'] };
  const report = await proxy.reload({ ...withRoute(started, { access }), listen });
  assert.deepEqual(report.changed, []);
  assert.equal(await status(), 403);
  assert.equal(authorization.requests.length, 1);
});

describe('a key file', () => {
  test('that holds another key makes assertions with it, and the JWK Set shows it', async (t) => {
    const [old, next] = [rs384Key('old'), es384Key('next')];
    const key = join(createFolder(t), 'key.json');
    writeFileSync(key, old.text, { mode: 0o600 });
    const started = await startProxy(t, {
      key: old,
      authorization: { keys: [old.publicJwk, next.publicJwk] },
      route: ({ clientId }) => ({ client: { id: clientId, key, scopes: ['system/Patient.read'] } }),
    });
    const { proxy, config, fetch, authorization } = started;
    await fetch('/fhir/Patient');
    writeFileSync(key, next.text);
    assert.deepEqual((await proxy.reload(config)).changed, ['/fhir']);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.deepEqual(
      authorization.requests.map(({ header }) => header?.['kid']),
      ['old', 'next'],
    );
    const { keys } = (await (await fetch('/.well-known/jwks.json')).json()) as {
      keys: { kid: string }[];
    };
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      ['next'],
    );
  });

  test('that holds the right key at last ends the back-off', async (t) => {
    const [wrong, right] = [rs384Key('wrong'), rs384Key('right')];
    const key = join(createFolder(t), 'key.json');
    writeFileSync(key, wrong.text, { mode: 0o600 });
    const { proxy, config, fetch, authorization } = await startProxy(t, {
      key: right,
      route: ({ clientId }) => ({ client: { id: clientId, key, scopes: ['system/Patient.read'] } }),
    });
    assert.equal((await fetch('/fhir/Patient')).status, 503);
    assert.equal((await fetch('/fhir/Patient')).status, 503);
    assert.equal(authorization.requests.length, 1, 'it backs off');
    writeFileSync(key, right.text);
    await proxy.reload(config);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
  });
});

test('a configuration that cannot be used is told with every problem, and the old one stays', async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, 'bad.json'), 'no key', { mode: 0o600 });
  const started = await startProxy(t);
  const { proxy, config, fetch, authorization } = started;
  await fetch('/fhir/Patient');
  const [route] = config.routes;
  const client = { ...route!.client!, key: join(folder, 'none.json') };
  const problems = await problemsOf(
    proxy.reload({
      ...config,
      routes: [
        { ...route!, client },
        { ...route!, path: '/b', client: { ...client, key: join(folder, 'bad.json') } },
        { ...route!, path: '/c', tls: { ...route!.tls, ca: join(folder, 'none.pem') } },
        {
          ...route!,
          path: '/d',
          client,
          tls: { ...route!.tls, ca: join(folder, 'bad.json') },
        },
        { ...route!, path: '/good' },
      ],
    }),
  );
  assert.equal(problems.length, 5, problems.join('\n'));
  assert.match(problems[3]!, /^routes\["\/d"\]\.tls\.ca: .*holds no certificate/);
  assert.match(problems[4]!, /^routes\["\/d"\]\.client\.key: .*does not exist/);
  assert.match(problems[0]!, /^routes\["\/fhir"\]\.client\.key: the key file ".*" does not exist/);
  assert.match(problems[1]!, /^routes\["\/b"\]\.client\.key: .*neither JSON nor PEM/);
  assert.match(problems[2]!, /^routes\["\/c"\]\.tls\.ca: .*does not exist/);
  assert.equal((await fetch('/fhir/Patient')).status, 200);
  assert.equal((await fetch('/good/Patient')).status, 404);
  assert.equal(authorization.requests.length, 1);
});

test('what only a restart changes is named', async (t) => {
  const { proxy, config } = await startProxy(t);
  const listen = {
    ...config.listen,
    port: 9999,
    socket: '/tmp/x',
    limits: { ...config.listen.limits, headerBytes: 2048 },
  };
  const log = { ...config.log, level: 'debug' as const };
  const { needsRestart } = await proxy.reload({ ...config, listen, log });
  assert.deepEqual(needsRestart, [
    'listen.port',
    'listen.socket',
    'listen.limits.headerBytes',
    'log.level',
  ]);
});

test('under load nothing fails and no connection is dropped, however often the configuration changes', async (t) => {
  const started = await startProxy(t, { fhir: () => answerPatient });
  const others = [await startOther(t, 'a'), await startOther(t, 'b')];
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  t.after(() => agent.destroy());
  const sockets = new Set<unknown>();
  const statuses = new Map<number, number>();
  const end = new AbortController();

  const call = async (): Promise<void> => {
    const sent = request({ agent, port: started.port, path: '/fhir/Patient' }).end();
    sent.once('socket', (socket) => sockets.add(socket));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    assert.equal(answer.complete, true);
    statuses.set(answer.statusCode!, (statuses.get(answer.statusCode!) ?? 0) + 1);
  };
  const workers = Array.from({ length: 16 }, async () => {
    while (!end.signal.aborted) await call();
  });
  for (let i = 0; i < 20; i += 1) {
    const upstream = others[i % 2]!.fhirBase.href;
    await started.proxy.reload(withRoute(started, { upstream }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  end.abort();
  await Promise.all(workers);
  assert.deepEqual([...statuses.keys()], [200], JSON.stringify([...statuses]));
  assert.equal(sockets.size, 16, 'every client kept its one connection');
  assert.equal(new Set(started.exchanges.map(({ status }) => status)).size, 1);
});

test('reloads that come together are taken over one after the other; the last one counts', async (t) => {
  const started = await startProxy(t);
  const others = [await startOther(t, 'a'), await startOther(t, 'b'), await startOther(t, 'c')];
  await Promise.all(
    others.map(({ fhirBase }) =>
      started.proxy.reload(withRoute(started, { upstream: fhirBase.href })),
    ),
  );
  assert.equal(await (await started.fetch('/fhir/Patient')).text(), 'c');
});

test('a reload that meets the end of the proxy changes nothing any more', async (t) => {
  const started = await startProxy(t);
  const other = await startOther(t, 'new');
  const reloading = started.proxy.reload(withRoute(started, { upstream: other.fhirBase.href }));
  await Promise.all([started.proxy.close(), reloading.catch(() => {})]);
  await assert.rejects(started.proxy.reload(withRoute(started, { maxConnections: 1 })), {
    code: 'proxy-stopping',
  });
});

test('a route that a reload adds makes the log name routes from then on', async (t) => {
  const started = await startProxy(t, { logFormat: 'pretty' });
  await started.fetch('/fhir/Patient');
  await started.over(1);
  assert.match(started.log(), / {2}search Patient/);
  const [first] = started.config.routes;
  const routes = [first!, { ...first!, path: '/other' }];
  await started.proxy.reload({ ...started.config, routes });
  await started.fetch('/other/Patient');
  await started.over(2);
  assert.match(started.log(), / {2}\/other search Patient/);
});
