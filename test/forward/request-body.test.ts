import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';

import { createBodyMemory } from '../../src/forward/body-memory.ts';
import { type RequestBody, streamedBody } from '../../src/forward/request-body.ts';

const SENT = 'x'.repeat(200_000);

/** What `use` makes of the body of a POST, once its first bytes have come. */
async function post<T>(t: TestContext, use: (body: RequestBody) => Promise<T>): Promise<T> {
  let used: Promise<T> | undefined;
  const server = createServer((_request, response) => {
    const body = streamedBody(response, createBodyMemory(1_048_576));
    const outbound = body.first() as Readable;
    outbound.once('data', () => {
      used = use(body);
    });
    outbound.once('end', () => response.end());
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: SENT })).text();
  assert.ok(used !== undefined);
  return used;
}

test('a streamed body can be sent again as a whole', async (t) => {
  const [canRepeat, again] = await post(t, async (body) => [body.canRepeat(), await body.again()]);
  assert.equal(canRepeat, true);
  assert.equal(String(again), SENT);
});

test('a body that no further attempt will need is let go', async (t) => {
  const [canRepeat, again] = await post(t, async (body) => {
    body.forget();
    return [body.canRepeat(), await body.again()];
  });
  assert.equal(canRepeat, false);
  assert.equal(again, undefined);
});
