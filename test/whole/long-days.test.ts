import assert from 'node:assert/strict';
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { createManualClock } from '../support/clock.ts';
import { startProxy } from '../support/proxy.ts';

const HOUR_MS = 3_600_000;

describe('a clock that jumps', () => {
  const jumps: readonly (readonly [name: string, ms: number])[] = [
    ['8 hours on, as after a night with the lid closed', 8 * HOUR_MS],
    ['5 minutes on, the life of a token', 300_000],
    ['to the last seconds of a token', 295_000],
  ];
  for (const [name, ms] of jumps) {
    test(`${name}: the token is renewed, once, and no request meets a 401`, async (t) => {
      const clock = createManualClock();
      const { fetch, authorization, received, exchanges } = await startProxy(t, {
        clock,
        authorization: { clock },
      });
      await fetch('/fhir/Patient');
      clock.advance(ms);
      const statuses = await Promise.all(
        Array.from({ length: 50 }, async () => (await fetch('/fhir/Patient')).status),
      );
      assert.deepEqual(new Set(statuses), new Set([200]));
      assert.equal(authorization.requests.length, 2);
      assert.equal(received.length, 51, 'nothing was sent twice');
      assert.ok(exchanges.every(({ replayed }) => !replayed));
    });
  }

  test('back: the token is used on and renewed in the background', async (t) => {
    const clock = createManualClock();
    const { fetch, authorization, received } = await startProxy(t, { clock });
    await fetch('/fhir/Patient');
    clock.advance(-HOUR_MS);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    // Its assertion is an hour old for a server whose clock is right, so none is granted.
    await authorization.received(2);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.equal(received.length, 3);
  });
});

/** A server at one address of this machine that tells which. */
async function startAt(t: TestContext, address: string, port = 0): Promise<Server> {
  const server = createServer((_request, response) => response.end(address));
  await new Promise<void>((resolve) => void server.listen(port, address, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

test('a name that gets another address is followed by the next connection', async (t) => {
  const first = await startAt(t, '127.0.0.1');
  const { port } = first.address() as AddressInfo;
  await startAt(t, '127.0.0.2', port);
  let address = '127.0.0.1';
  const lookup = dns.lookup;
  t.mock.method(dns, 'lookup', ((
    name: string,
    options: LookupOptions,
    done: (error: null, address: string | LookupAddress[], family?: number) => void,
  ) => {
    if (name !== 'openemr.test') lookup(name, options, done as never);
    else if (options.all === true) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  }) as never);
  const { fetch } = await startProxy(t, {
    route: ({ tokenEndpoint }) => ({
      upstream: `http://openemr.test:${port}/fhir`,
      tokenEndpoint,
      audience: tokenEndpoint,
    }),
  });
  assert.equal(await (await fetch('/fhir/Patient')).text(), '127.0.0.1');
  address = '127.0.0.2';
  first.closeAllConnections();
  assert.equal(await (await fetch('/fhir/Patient')).text(), '127.0.0.2');
});

describe('a stop', () => {
  test('is told by readyz first, while requests are still taken', async (t) => {
    const { proxy, fetch } = await startProxy(t, { config: { stopDelayMs: 400 } });
    assert.equal((await fetch('/_proxy/readyz')).status, 200);
    const started = performance.now();
    const closed = proxy.close();
    assert.equal((await fetch('/_proxy/readyz')).status, 503);
    assert.equal((await fetch('/_proxy/livez')).status, 200);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    await closed;
    assert.ok(performance.now() - started >= 390);
    await assert.rejects(fetch('/_proxy/readyz'));
  });

  test('is not held up by an open inspector page', async (t) => {
    const { proxy, url } = await startProxy(t, { config: { drainMs: 10_000 } });
    const [events] = (await once(get(`${url}/_proxy/events`), 'response')) as [IncomingMessage];
    await once(events, 'data');
    const started = performance.now();
    events.resume();
    await proxy.close();
    assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
  });
});
