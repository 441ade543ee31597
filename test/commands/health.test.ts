import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { createProxy } from '../../src/index.ts';
import { createTestRuntime } from '../support/runtime.ts';

const SANDBOX = [{ path: '/fhir', upstream: 'sandbox' as const }];

async function health(argv: string[], options: Parameters<typeof createTestRuntime>[0] = {}) {
  const runtime = createTestRuntime({ cwd: '/nowhere', ...options });
  const exitCode = await runProgram(['health', ...argv], runtime, { version: '0' });
  return { exitCode, out: runtime.out(), err: runtime.err() };
}

async function startProxy(t: TestContext, listen: object): Promise<string> {
  const proxy = await createProxy({ listen: { port: 0, ...listen }, routes: SANDBOX });
  t.after(() => proxy.close());
  return new URL(proxy.url).port;
}

async function listenFor(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return String((server.address() as AddressInfo).port);
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'health-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

describe('health', () => {
  it('ends with 0 when the proxy is ready, wherever the address comes from', async (t) => {
    const port = await startProxy(t, {});
    const folder = await makeFolder(t);
    const config = { listen: { port: Number(port) }, routes: SANDBOX };
    await writeFile(join(folder, 'proxy.config.json'), JSON.stringify(config));
    await writeFile(join(folder, 'other.json'), JSON.stringify(config));
    const cases: [string[], object][] = [
      [['--port', port], {}],
      [[], { environment: { FHIR_AUTH_PROXY_PORT: port } }],
      [[], { environment: { FHIR_AUTH_PROXY_PORT: port, FHIR_AUTH_PROXY_HOST: 'localhost' } }],
      [[], { cwd: folder }],
      [['-c', 'other.json'], { cwd: folder, environment: { FHIR_AUTH_PROXY_PORT: '' } }],
    ];
    for (const [argv, options] of cases) {
      const { exitCode, out, err } = await health(argv, options);
      assert.deepEqual({ exitCode, out, err }, { exitCode: 0, out: 'ready\n', err: '' });
    }
  });

  it('asks on loopback when the proxy listens on every address, and needs no key', async (t) => {
    const listen = {
      host: '0.0.0.0',
      allowedHosts: ['proxy.example'],
      apiKey: 'sixteen-visible-characters',
    };
    const port = await startProxy(t, listen);
    const environment = {
      FHIR_AUTH_PROXY_HOST: '0.0.0.0',
      FHIR_AUTH_PROXY_PORT: port,
      FHIR_AUTH_PROXY_ALLOWED_HOSTS: 'proxy.example',
    };
    assert.equal((await health([], { environment })).exitCode, 0);
  });

  it('asks on a Unix socket', async (t) => {
    const folder = await makeFolder(t);
    const socket = join(folder, 'proxy.sock');
    const proxy = await createProxy({ listen: { socket }, routes: SANDBOX });
    t.after(() => proxy.close());
    assert.equal((await health(['--socket', socket])).exitCode, 0);
    const named = await health([], {
      cwd: folder,
      environment: { FHIR_AUTH_PROXY_SOCKET: 'proxy.sock' },
    });
    assert.equal(named.exitCode, 0);
    const absent = await health(['--socket', join(folder, 'none.sock')]);
    assert.equal(absent.exitCode, 1);
    assert.match(absent.err, /^not ready: nothing answers on ".*none\.sock" \(ENOENT\)\n$/);
  });

  it('does not care about routes, which may have changed since the start', async (t) => {
    const port = await startProxy(t, {});
    const folder = await makeFolder(t);
    const text = JSON.stringify({ listen: { port: Number(port) }, routes: [{ path: 'x' }] });
    await writeFile(join(folder, 'proxy.config.json'), text);
    assert.equal((await health([], { cwd: folder })).exitCode, 0);
  });

  it('needs no file with --port or --socket: a broken one is not looked at', async (t) => {
    const port = await startProxy(t, {});
    const folder = await makeFolder(t);
    const socket = join(folder, 'proxy.sock');
    const proxy = await createProxy({ listen: { socket }, routes: SANDBOX });
    t.after(() => proxy.close());
    await writeFile(join(folder, 'proxy.config.json'), '{ "routes": [');
    for (const argv of [
      ['--port', port],
      ['-c', 'proxy.config.json', '--port', port],
      ['-c', 'absent.json', '--port', port],
      ['--socket', socket],
    ]) {
      const { exitCode, out, err } = await health(argv, { cwd: folder });
      assert.deepEqual({ exitCode, out, err }, { exitCode: 0, out: 'ready\n', err: '' });
    }
    assert.equal((await health(['--port', 'abc'], { cwd: folder })).exitCode, 2);
  });

  it('asks a running proxy whose file has been broken since, with a warning', async (t) => {
    const port = await startProxy(t, {});
    const folder = await makeFolder(t);
    const file = join(folder, 'proxy.config.json');
    const environment = { FHIR_AUTH_PROXY_PORT: port };
    const listen = `"listen": { "port": ${port} }`;
    const cases: [string, object][] = [
      ['{ "routes": [', { environment }],
      [`{ ${listen}, "routes": [`, {}],
      [`{ ${listen}, "routes": [], "loog": {} }`, {}],
    ];
    for (const [text, options] of cases) {
      await writeFile(file, text);
      const { exitCode, out, err } = await health([], { cwd: folder, ...options });
      assert.deepEqual({ exitCode, out }, { exitCode: 0, out: 'ready\n' }, text);
      assert.match(err, /^warning: .*cannot be used, so http:\/\/127\.0\.0\.1:\d+ is asked: .+\n$/);
      assert.ok(err.includes(`127.0.0.1:${port}`), err);
    }
    const absent = await health(['-c', 'absent.json'], { cwd: folder, environment });
    assert.equal(absent.exitCode, 0);
    assert.match(absent.err, /absent\.json" does not exist/);
  });

  it('ends with 1 and says why when nothing answers', async () => {
    const server = createRawServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { exitCode, out, err } = await health(['--port', String(port)]);
    assert.equal(exitCode, 1);
    assert.equal(out, '');
    assert.equal(err, `not ready: nothing answers on http://127.0.0.1:${port} (ECONNREFUSED)\n`);
  });

  it('ends with 1 when the proxy is stopping, and when something else answers', async (t) => {
    const stopping = await listenFor(t, (_request, response) => {
      response.writeHead(503).end('stopping\n');
    });
    const { exitCode, err } = await health(['--port', stopping]);
    assert.equal(exitCode, 1);
    assert.match(err, /says "stopping"/);

    const other = await listenFor(t, (_request, response) => response.end('<html>'));
    const wrong = await health(['--port', other]);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.err, /is not fhir-auth-proxy \(status 200\)/);
  });

  it('ends with 1 when there is no answer in time', async (t) => {
    const port = await listenFor(t, () => undefined);
    const { exitCode, err } = await health(['--port', port]);
    assert.equal(exitCode, 1);
    assert.match(err, /did not answer within 2 s/);
  });

  it('goes on asking with --wait until the proxy is ready', async (t) => {
    let asked = 0;
    const port = await listenFor(t, (_request, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(503).end('stopping\n');
      else response.end('ready\n');
    });
    const { exitCode, err } = await health(['--port', port, '--wait', '60']);
    assert.deepEqual({ exitCode, err, asked }, { exitCode: 0, err: '', asked: 3 });
  });

  it('refuses an address that cannot be known and a wait that is no number of seconds', async () => {
    const free = await health(['--port', '0']);
    assert.equal(free.exitCode, 2);
    assert.match(free.err, /port 0.*\n.*--port/);
    for (const wait of ['soon', '-1', '1e9', '3601']) {
      const { exitCode, err } = await health([`--wait=${wait}`]);
      assert.equal(exitCode, 2, wait);
      assert.match(err, /--wait is "[^"]+": expected seconds, from 0 to 3600/);
    }
  });
});
