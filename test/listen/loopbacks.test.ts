import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';

import { ConfigError } from '../../src/base/errors.ts';
import { configSchema } from '../../src/config/schema.ts';
import { checkPort } from '../../src/doctor/port.ts';
import { createListener, type Listener } from '../../src/listen/listener.ts';
import { startProxy } from '../support/proxy.ts';

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');
const skip = hasIpv6 ? false : 'this machine has no ::1';

function configOf(listen: object) {
  return configSchema.parse({ listen, routes: [{ path: '/fhir', upstream: 'sandbox' }] }).listen;
}

function createIdle(t: TestContext, listen: object): Listener {
  const listener = createListener(
    configOf(listen),
    (_request, response) => response.end('here'),
    () => {},
  );
  t.after(() => listener.stop(0));
  return listener;
}

/** Another program that listens. */
async function occupy(t: TestContext, host: string, port = 0): Promise<number> {
  const server: Server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function refusalOf(listener: Listener): Promise<string> {
  const error = await listener.listen().then(
    () => assert.fail('it listens'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError);
  return error.problems[0]?.message ?? '';
}

describe('without a named host', { skip }, () => {
  it('both loopback addresses and "localhost" are answered on one free port', async (t) => {
    const { url, port, received } = await startProxy(t);
    assert.equal(url, `http://127.0.0.1:${port}`);
    for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
      const response = await fetch(`http://${host}:${port}/fhir/Patient/p1`);
      assert.equal(response.status, 200, host);
      await response.text();
    }
    assert.equal(received.length, 3);
    const page = await fetch(`http://[::1]:${port}/_proxy/livez`);
    assert.equal(await page.text(), 'alive\n');
  });

  it('the links of a response have the address that was called', async (t) => {
    const { port } = await startProxy(t, {
      fhir: (authorization) => (_request, response) => {
        const url = `${authorization.fhirBase.href}/Patient?page=2`;
        response.writeHead(200, { 'content-type': 'application/fhir+json' });
        response.end(JSON.stringify({ resourceType: 'Bundle', link: [{ relation: 'next', url }] }));
      },
    });
    const response = await fetch(`http://[::1]:${port}/fhir/Patient`);
    const { link } = (await response.json()) as { link: { url: string }[] };
    assert.equal(link[0]?.url, `http://[::1]:${port}/fhir/Patient?page=2`);
  });

  for (const taken of ['127.0.0.1', '::1']) {
    it(`a port that is taken on ${taken} alone is an error that names the address, and frees the other`, async (t) => {
      const port = await occupy(t, taken);
      const listener = createIdle(t, { port });
      const expected = `port ${port} on "${taken}" is in use by another program`;
      assert.equal(await refusalOf(listener), expected);
      assert.equal(listener.server.listening, false);
      await occupy(t, taken === '::1' ? '127.0.0.1' : '::1', port);
      const finding = await checkPort(configOf({ port }));
      assert.equal(finding.status, 'fail');
    });
  }

  it('a stop ends the connections of both addresses', async (t) => {
    const listener = createIdle(t, { port: 0 });
    const port = Number(new URL(await listener.listen()).port);
    const sockets = ['127.0.0.1', '::1'].map((host) => connect(port, host));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    assert.equal(await listener.stop(60_000), 0, 'none had to be cut');
    await Promise.all(closed);
    await occupy(t, '::1', port);
    await occupy(t, '127.0.0.1', port);
  });

  it('the limit on connections counts both addresses together', async (t) => {
    const listener = createIdle(t, { port: 0, limits: { connections: 2 } });
    const port = Number(new URL(await listener.listen()).port);
    const held = ['127.0.0.1', '::1'].map((host) => connect(port, host));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    for (const host of ['127.0.0.1', '::1']) await once(connect(port, host).resume(), 'close');
    assert.deepEqual(
      held.map(({ closed }) => closed),
      [false, false],
    );
    for (const socket of held) socket.destroy();
  });
});

it('a named host is taken as it is', { skip }, async (t) => {
  for (const [host, other] of [
    ['127.0.0.1', '::1'],
    ['::1', '127.0.0.1'],
  ] as const) {
    const listener = createIdle(t, { host, port: 0 });
    const port = Number(new URL(await listener.listen()).port);
    await occupy(t, other, port);
  }
});
