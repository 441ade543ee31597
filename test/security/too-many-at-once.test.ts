/**
 * Many requests at once, each of which is legal: 8.8 MB of pipelined requests once had 121,320 of them
 * under way and a gigabyte in use (the class of CVE-2023-44487, for HTTP/1.1).
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';

import { issuesOf, startProxy } from '../support/proxy.ts';

describe('too many requests at once', () => {
  it('beyond "listen.limits.inFlight" a route answers 503 with Retry-After, and serves again afterwards', async (t) => {
    const waiting: ServerResponse[] = [];
    let onWaiting: (() => void) | undefined;
    const { fetch } = await startProxy(t, {
      config: { listen: { limits: { inFlight: 3 } } },
      fhir: () => (_request, response) => {
        waiting.push(response);
        onWaiting?.();
      },
    });
    const slow = [1, 2, 3].map(() => fetch('/fhir/Patient'));
    while (waiting.length < 3) await new Promise<void>((resolve) => (onWaiting = resolve));
    const refused = await fetch('/fhir/Patient');
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.match(
      issuesOf(await refused.text())[0]?.diagnostics ?? '',
      /"listen\.limits\.inFlight"/,
    );
    for (const response of waiting.splice(0)) response.end('{}');
    assert.deepEqual(
      (await Promise.all(slow)).map(({ status }) => status),
      [200, 200, 200],
    );
    const next = fetch('/fhir/Patient');
    while (waiting.length < 1) await new Promise<void>((resolve) => (onWaiting = resolve));
    waiting[0]?.end('{}');
    assert.equal((await next).status, 200);
  });

  it('bodies that must be checked and find no room in memory get 503, others are streamed', async (t) => {
    const { fetch, port } = await startProxy(t, {
      config: { listen: { limits: { heldBytes: 1_048_576 } } },
      fhir: () => (request, response) => {
        request.resume().on('end', () => response.end('{}'));
      },
    });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const half = `a=${'x'.repeat(700_000)}`;
    // Two thirds of a form that never ends.
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(
      `POST /fhir/Patient/_search HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${form['content-type']}\r\nContent-Length: 1000000\r\n\r\n${half}`,
    );
    let refused = await fetch('/fhir/Patient/_search', {
      method: 'POST',
      headers: form,
      body: half,
    });
    // Until what the other connection sent has arrived.
    while (refused.status === 200) {
      refused = await fetch('/fhir/Patient/_search', { method: 'POST', headers: form, body: half });
    }
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /listen\.limits\.heldBytes/);
    const json = await fetch('/fhir/Patient', { method: 'POST', body: 'x'.repeat(2_000_000) });
    assert.equal(json.status, 200);
    socket.destroy();
    let again = await fetch('/fhir/Patient/_search', { method: 'POST', headers: form, body: half });
    while (again.status === 503) {
      again = await fetch('/fhir/Patient/_search', { method: 'POST', headers: form, body: half });
    }
    assert.equal(again.status, 200);
  });

  it('a connection that pipelines without end is closed before it costs anything', async (t) => {
    const { port, received, proxy } = await startProxy(t, { fhir: () => () => {} });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const one = 'GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const before = process.memoryUsage().rss;
    // Not "once" of node:events, which rejects when the connection is reset.
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    for (let i = 0; i < 40 && !socket.destroyed; i++) {
      if (!socket.write(one.repeat(5_000)))
        await Promise.race([
          new Promise<void>((resolve) => socket.once('drain', () => resolve())),
          closed,
        ]);
    }
    await closed;
    assert.ok(received.length <= 1);
    assert.ok(process.memoryUsage().rss - before < 100 * 1_048_576);
    assert.equal(proxy.server.listening, true);
  });
});
