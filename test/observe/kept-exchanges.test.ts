import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { explain } from '../../src/hints/match.ts';
import { startBrokenServer } from '../support/broken-server.ts';
import { startProxy } from '../support/proxy.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const BODY_BYTES = 200_000;
const REQUESTS = 40;
/** Answered requests are read for a second more. */
const PATIENCE_MS = 5000;

/** Bytes that are still in use once garbage has been collected. */
async function countBytes(kind: 'arrayBuffers' | 'heapUsed'): Promise<number> {
  collectGarbage();
  await delay(20);
  collectGarbage();
  return process.memoryUsage()[kind];
}

// Its error did, by the objects on the stack that nobody had read.
test('a failed exchange that is kept for the inspector holds no body of its request', async (t) => {
  const upstream = await startBrokenServer(t, (socket) => void socket.resetAndDestroy());
  const { fetch, over, exchanges } = await startProxy(t, {
    route: ({ tokenEndpoint }) => ({
      upstream: `${upstream.origin}/fhir`,
      tokenEndpoint,
      audience: tokenEndpoint,
    }),
  });
  const body = Buffer.alloc(BODY_BYTES, 'x');
  const post = async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    const { status } = await fetch('/fhir/Patient', { method: 'POST', headers, body });
    assert.equal(status, 502);
  };
  await post();
  const before = await countBytes('arrayBuffers');
  for (let sent = 0; sent < REQUESTS; sent++) await post();
  await over(REQUESTS + 1);
  assert.equal(exchanges.at(-1)?.error?.code, 'connection_terminated');
  const allowed = (REQUESTS * BODY_BYTES) / 4;
  const endAt = performance.now() + PATIENCE_MS;
  let kept = Infinity;
  while (kept > allowed && performance.now() < endAt)
    kept = (await countBytes('arrayBuffers')) - before;
  assert.ok(kept <= allowed, `${kept} bytes are kept of ${REQUESTS} bodies of ${BODY_BYTES}`);
});

// It did, as a part cut out of it.
test('a hint that is kept holds no more of a long answer than it shows', async () => {
  const HINTS = 200;
  const LENGTH = 50_000;
  const explainLong = (number: number) =>
    explain({
      stage: 'fhir',
      status: 400,
      body: JSON.stringify({
        error: 'invalid_request',
        message: `${number} Refresh Token revoked or logged out ${'x '.repeat(LENGTH / 2)}`,
      }),
      logEntries: [],
    });
  const before = await countBytes('heapUsed');
  const kept = Array.from({ length: HINTS }, (_, number) => explainLong(number));
  const bytes = (await countBytes('heapUsed')) - before;
  assert.equal(kept.length, HINTS);
  assert.match(kept[0]![0]!.evidence, /^answer 400: invalid_request, 0 Refresh Token revoked/);
  assert.ok(bytes < (HINTS * LENGTH) / 4, `${bytes} bytes are kept`);
});
