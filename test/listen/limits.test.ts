import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';

import { startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

const LINES = ['GET /fhir/Patient HTTP/1.1', 'Host: localhost'];
const fields = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: v`);

for (const headerCount of [30, 31, 32, 64, 200]) {
  test(`of ${headerCount} fields none is dropped, and one more is refused`, async (t) => {
    const { port, received } = await startProxy(t, {
      config: { listen: { limits: { headerCount } } },
    });
    const fit = rawHead([...LINES, ...fields(headerCount - 2), 'X-Last: v']);
    assert.equal((await rawRequest(fit, { port })).answers[0]?.status, 200);
    assert.ok(received[0]?.rawHeaders.includes('X-Last'));
    const over = rawHead([...LINES, ...fields(headerCount - 1), 'Origin: https://evil.com']);
    assert.equal((await rawRequest(over, { port })).answers[0]?.status, 431);
    assert.equal(received.length, 1);
  });
}

test('a request head that takes too long to arrive ends its connection, and no other', async (t) => {
  const { port } = await startProxy(t, { config: { listen: { limits: { headersMs: 300 } } } });
  const slow = connect(port, '127.0.0.1');
  t.after(() => slow.destroy());
  let answer = '';
  slow.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  slow.write('GET /fhir/Patient HTTP/1.1\r\nHost: local');
  const started = performance.now();
  const closed = new Promise<void>((resolve) => slow.once('close', () => resolve()));
  assert.equal((await rawRequest(rawHead(LINES), { port })).answers[0]?.status, 200);
  await closed;
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - started < 3000);
});

test('after a refused framing nothing that follows on the connection reaches the upstream', async (t) => {
  const { port, received } = await startProxy(t);
  const second = rawHead(LINES);
  const head = rawHead([...LINES, 'Transfer-Encoding: xchunked'], second + second);
  const { answers, closed } = await rawRequest(head, { port, untilClosed: true });
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400],
  );
  assert.ok(closed);
  assert.equal(received.length, 0);
});

test('a shorter limit for the whole request holds for its head too', async (t) => {
  const limits = { headersMs: 5000, requestMs: 400 };
  const { port } = await startProxy(t, { config: { listen: { limits } } });
  const { answers } = await rawRequest('GET /fhir HTTP/1.1\r\n', { port, untilClosed: true });
  assert.equal(answers[0]?.status, 408);
});
