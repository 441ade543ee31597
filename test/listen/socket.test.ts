import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, existsSync, writeFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { ConfigError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createProxyServer, type ProxyServer } from '../../src/server.ts';
import { rs384Key } from '../support/keys.ts';
import { startProxy } from '../support/proxy.ts';

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'socket-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function get(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

/** A proxy that is never asked for FHIR. */
async function createIdle(t: TestContext, socket: string): Promise<ProxyServer> {
  const config = configSchema.parse({
    listen: { socket },
    routes: [
      {
        path: '/fhir',
        upstream: 'http://127.0.0.1:9/fhir',
        client: { id: 'a', key: rs384Key().text, scopes: ['system/Patient.read'] },
      },
    ],
  });
  const logger = createLogger({ format: 'json', level: 'silent', stream: process.stderr });
  const proxy = await createProxyServer(config, { logger });
  t.after(() => proxy.destroy());
  return proxy;
}

async function problemOf(listening: Promise<unknown>): Promise<string> {
  const error = await listening.then(
    () => assert.fail('it listens'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError, String(error));
  const [problem] = error.problems;
  assert.equal(problem?.path, 'listen.socket');
  assert.ok(problem.remedy);
  return problem.message;
}

test('the proxy answers on a socket that only its owner can use, and removes it at its end', async (t) => {
  const folder = createFolder(t);
  const socket = join(folder, 'proxy.sock');
  const { proxy, url, received } = await startProxy(t, { config: { listen: { socket } } });
  assert.equal(url, `unix:${socket}`);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['proxy.sock'], 'nothing else is left in the folder');
  assert.equal((await get(socket, '/fhir/Patient/p1')).status, 200);
  assert.equal(received[0]?.url, '/apis/default/fhir/Patient/p1');
  await proxy.close();
  assert.equal(existsSync(socket), false);
});

test('a page that rebinds its name gets no further over a socket', async (t) => {
  const socket = join(createFolder(t), 's');
  await startProxy(t, { config: { listen: { socket } } });
  const client = connect(socket).setEncoding('latin1');
  client.write('GET /fhir/Patient HTTP/1.1\r\nHost: evil.com\r\n\r\n');
  const [answer] = (await once(client, 'data')) as [string];
  client.destroy();
  assert.match(answer, /^HTTP\/1\.1 403 /);
});

test('a socket that a killed program left behind is replaced', async (t) => {
  const socket = join(createFolder(t), 's');
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`,
  ]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(socket));
  const proxy = await createIdle(t, socket);
  await proxy.listen();
  assert.equal((await get(socket, '/_proxy/livez')).status, 200);
});

test('a socket that a program answers on is left alone', async (t) => {
  const socket = join(createFolder(t), 's');
  const server = createServer((client) => client.on('error', () => {}).end('still here'));
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  t.after(() => server.close());
  const proxy = await createIdle(t, socket);
  assert.match(await problemOf(proxy.listen()), /in use by another program/);
  const [answer] = (await once(connect(socket), 'data')) as [Buffer];
  assert.equal(answer.toString(), 'still here');
});

test('at its end a proxy leaves the socket of its successor alone', async (t) => {
  const socket = join(createFolder(t), 's');
  const first = await createIdle(t, socket);
  await first.listen();
  rmSync(socket);
  const second = await createIdle(t, socket);
  await second.listen();
  await first.close();
  assert.equal((await get(socket, '/_proxy/livez')).status, 200);
});

test('what cannot become a socket is a problem of the configuration', async (t) => {
  const folder = createFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'kept');
  const cases: readonly (readonly [path: string, message: RegExp])[] = [
    [file, /is there already and is no socket/],
    [join(folder, 'none', 's'), /folder of ".*" does not exist/],
    [join(folder, 'x'.repeat(100)), /too long for a socket/],
  ];
  for (const [path, message] of cases) {
    const proxy = await createIdle(t, path);
    assert.match(await problemOf(proxy.listen()), message);
  }
  assert.deepEqual(readdirSync(folder), ['file'], 'nothing is left behind');
});

test('the path counts from the config file, in a flag from the working directory; host and port do not matter', async () => {
  const routes = [
    {
      path: '/fhir',
      upstream: 'http://localhost:8088/x',
      client: { id: 'a', key: 'k', scopes: ['s'] },
    },
  ];
  const load = async (options: object) =>
    (
      await loadConfig({
        text: JSON.stringify({ listen: { socket: 'run/s', host: '0.0.0.0' }, routes }),
        file: '/etc/proxy/proxy.json',
        cwd: '/work-folder',
        ...options,
      })
    ).config.listen.socket;
  assert.equal(await load({}), '/etc/proxy/run/s');
  assert.equal(await load({ flags: { socket: 'x.sock' } }), '/work-folder/x.sock');
  const environment = { FHIR_AUTH_PROXY_SOCKET: '/run/y.sock' };
  assert.equal(await load({ environment }), '/run/y.sock');
});

test('the flag --unsafe-any-host takes the place of the setting, and is warned about', async () => {
  const { config, warnings } = await loadConfig({
    text: JSON.stringify({ routes: [{ path: '/fhir', upstream: 'sandbox' }] }),
    flags: { unsafeAnyHost: true, host: '0.0.0.0' },
    cwd: '/',
  });
  assert.equal(config.listen.unsafeAnyHost, true);
  assert.match(warnings.join('\n'), /unsafeAnyHost is true: any web page can read health data/);
});
