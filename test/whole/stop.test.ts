import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import { startProxy } from '../support/proxy.ts';

describe('a stop', () => {
  test('lets what is in flight end and takes nothing new', async (t) => {
    let finish = () => {};
    const { proxy, port } = await startProxy(t, {
      fhir: () => (_, response) => {
        response.writeHead(200, { 'content-type': 'application/fhir+ndjson' });
        response.write('{"first":1}\n');
        finish = () => response.end('{"last":1}\n');
      },
    });
    const agent = new Agent({ keepAlive: true });
    const request = httpRequest({ port, path: '/fhir/Patient', agent }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'data');
    const closed = proxy.close();
    const late = connect(port, '127.0.0.1');
    await once(late, 'error');
    finish();
    let rest = '';
    for await (const chunk of response) rest += String(chunk);
    assert.equal(rest, '{"last":1}\n');
    await closed;
    agent.destroy();
  });

  test('ends idle connections at once', async (t) => {
    const { proxy, port, fetch } = await startProxy(t);
    await fetch('/fhir/Patient');
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');
    const ended = once(idle, 'close');
    await proxy.close();
    await ended;
  });

  test('cuts what is still in flight after drainMs, and says so', async (t) => {
    const { proxy, port, log } = await startProxy(t, {
      config: { drainMs: 100 },
      fhir: () => (_, response) => void response.writeHead(200).write('half'),
    });
    const request = httpRequest({ port, path: '/fhir/Patient' }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    const cut = once(response, 'error');
    await proxy.close();
    await cut;
    assert.match(log(), /still in flight/);
  });
});

test('every answer tells where its time went, also those of the proxy itself', async (t) => {
  const { fetch } = await startProxy(t);
  const timing = async (path: string, init?: RequestInit) =>
    (await fetch(path, init)).headers.get('server-timing');
  for (const path of ['/_proxy/readyz', '/_proxy/', '/.well-known/jwks.json', '/', '/nowhere']) {
    assert.match((await timing(path)) ?? path, /^proxy;dur=\d+\.\d$/);
  }
  assert.match((await timing('/fhir/Patient', { method: 'OPTIONS' })) ?? '', /^proxy;dur=/);
  assert.match(
    (await timing('/fhir/Patient')) ?? '',
    /^token;dur=[\d.]+, upstream;dur=[\d.]+, proxy;dur=[\d.]+$/,
  );
});

test('readyz and livez answer while the proxy serves', async (t) => {
  const { fetch } = await startProxy(t);
  assert.equal((await fetch('/_proxy/livez')).status, 200);
  assert.equal((await fetch('/_proxy/readyz')).status, 200);
});

test('the public key is published, the private one is not', async (t) => {
  const { fetch } = await startProxy(t);
  const response = await fetch('/.well-known/jwks.json');
  assert.equal(response.headers.get('cache-control'), 'max-age=300');
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  assert.equal(keys.length, 1);
  assert.deepEqual(Object.keys(keys[0]!).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
});
