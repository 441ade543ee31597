import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { createLoopMark } from '../../src/exchange/loop-mark.ts';
import { issuesOf, startProxy, type Started } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

/** A server that sends everything on to wherever it is told: a forwarded port. */
async function startForwarder(
  t: TestContext,
): Promise<{ port: number; to: (port: number) => void; passed: () => number }> {
  let target = 0;
  let passed = 0;
  const server = createServer((inbound, answer) => {
    passed += 1;
    const { method, url, headers } = inbound;
    const outbound = request(
      { port: target, host: '127.0.0.1', method, path: url, headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 0, response.headers);
        response.pipe(answer);
      },
    );
    outbound.on('error', () => answer.destroy());
    inbound.pipe(outbound);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    to: (port) => void (target = port),
    passed: () => passed,
  };
}

/** A proxy whose upstream is the proxy itself, by way of a forwarded port. */
async function startLoop(
  t: TestContext,
  path: string,
  more: (tokenEndpoint: string) => object = () => ({}),
): Promise<Started & { passed: () => number }> {
  const forwarder = await startForwarder(t);
  const started = await startProxy(t, {
    route: ({ tokenEndpoint }) => ({
      upstream: `http://127.0.0.1:${forwarder.port}${path}`,
      ...more(tokenEndpoint),
    }),
  });
  forwarder.to(started.port);
  return { ...started, passed: forwarder.passed };
}

const withToken = (tokenEndpoint: string) => ({ tokenEndpoint, audience: tokenEndpoint });

describe('a route that leads back to the proxy', () => {
  test('is answered after one round, with what to do', async (t) => {
    const { fetch, passed } = await startLoop(t, '/fhir', withToken);
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 502);
    assert.match(
      issuesOf(await response.text())[0]?.diagnostics ?? '',
      /has come back to the proxy/,
    );
    assert.match(response.headers.get('link') ?? '', /hints\/proxy-loop/);
    assert.equal(passed(), 1);
  });

  test('reaches neither inspector nor metrics (CVE-2025-23217)', async (t) => {
    const { fetch, url } = await startLoop(t, '/_proxy', withToken);
    for (const path of ['/metrics', '/exchanges', '/status', '/livez']) {
      assert.equal((await fetch(`/fhir${path}`)).status, 502, path);
      assert.notEqual((await globalThis.fetch(`${url}/_proxy${path}`)).status, 502, path);
    }
  });

  test('so does one whose SMART configuration is asked of the proxy itself', async (t) => {
    const { fetch, passed } = await startLoop(t, '/fhir');
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 503);
    const [, hint] = issuesOf(await response.text());
    assert.match(hint?.diagnostics ?? '', /\[proxy-loop\]$/);
    assert.equal(passed(), 1);
  });

  test('and one whose token endpoint is the proxy itself', async (t) => {
    const forwarder = await startForwarder(t);
    const { fetch, port } = await startProxy(t, {
      route: () => ({
        tokenEndpoint: `http://127.0.0.1:${forwarder.port}/fhir/token`,
        audience: 'https://openemr.example/token',
      }),
    });
    forwarder.to(port);
    const started = performance.now();
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 503);
    assert.match(issuesOf(await response.text())[1]?.diagnostics ?? '', /\[proxy-loop\]$/);
    assert.ok(performance.now() - started < 5000, 'the token request does not wait for itself');
  });
});

test('every request carries one element of Via, after those of the client', async (t) => {
  const { port, received, authorization } = await startProxy(t);
  const head = rawHead(['GET /fhir/Patient HTTP/1.1', 'Host: localhost', 'Via: 1.1 other']);
  assert.equal((await rawRequest(head, { port })).answers[0]?.status, 200);
  const via = received[0]?.headers.via ?? '';
  assert.match(via, /^1\.1 other, 1\.1 fhir-auth-proxy-[0-9a-f]{18}$/);
  const own = via.slice('1.1 other, '.length);
  for (const { rawHeaders } of [authorization.requests[0]!, authorization.discoveries[0]!]) {
    const at = rawHeaders.findIndex((name) => name.toLowerCase() === 'via');
    assert.equal(rawHeaders[at + 1], own);
  }
});

test('two proxies in a row are no loop', async (t) => {
  const back = await startProxy(t);
  const front = await startProxy(t, {
    route: ({ tokenEndpoint }) => ({ upstream: `${back.url}/fhir`, ...withToken(tokenEndpoint) }),
  });
  assert.equal((await front.fetch('/fhir/Patient')).status, 200);
});

test('nobody is refused for a mark that is not this proxy’s', () => {
  const mark = createLoopMark();
  for (const via of [undefined, '', '1.1 fhir-auth-proxy', createLoopMark().via]) {
    assert.equal(mark.check(via), undefined);
  }
  assert.equal(mark.check(`1.0 a, ${mark.via} (comment), 1.1 b`)?.code, 'loop-detected');
});
