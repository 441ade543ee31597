import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';

import type { ProxyError } from '../../src/base/errors.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createListener } from '../../src/listen/listener.ts';

type Held = [request: IncomingMessage, response: ServerResponse];

/** A listener whose requests are answered by hand. */
async function listen(t: TestContext) {
  const served: Held[] = [];
  const refused: ProxyError[] = [];
  let onServed: (() => void) | undefined;
  const { listen } = configSchema.parse({
    listen: { port: 0 },
    routes: [{ path: '/fhir', upstream: 'sandbox' }],
  });
  const listener = createListener(
    listen,
    (...held) => {
      served.push(held);
      onServed?.();
    },
    (error) => refused.push(error),
  );
  const url = await listener.listen();
  t.after(() => listener.stop(0));
  return {
    port: Number(new URL(url).port),
    served,
    refused,
    /** Resolves once so many requests were served in all. */
    async count(number: number) {
      while (served.length < number) {
        await new Promise<void>((resolve) => {
          onServed = resolve;
        });
      }
    },
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

test('pipelined requests are served one at a time, in their order', async (t) => {
  const { port, served, count } = await listen(t);
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(
    get('/1') +
      get('/2') +
      `POST /3 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab${get('/4')}`,
  );
  for (const number of [1, 2, 3, 4]) {
    await count(number);
    assert.equal(served.length, number, 'the next one waits');
    const [request, response] = served[number - 1]!;
    assert.equal(request.url, `/${number}`);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    assert.equal(body, number === 3 ? 'ab' : '');
    response.end(`answer ${number};`);
  }
  while (!text.includes('answer 4;')) await once(socket, 'data');
  assert.deepEqual(text.match(/answer \d/g), ['answer 1', 'answer 2', 'answer 3', 'answer 4']);
});

test('requests of other connections do not wait', async (t) => {
  const { port, served, count } = await listen(t);
  for (const path of ['/a', '/b', '/c']) {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(get(path));
  }
  await count(3);
  assert.equal(served.length, 3);
});

test('a connection on which more than a hundred requests wait is closed, and nothing more of it is served', async (t) => {
  const { port, served, refused } = await listen(t);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(get('/x').repeat(5_000));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  assert.equal(served.length, 1);
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['pipeline-too-long'],
  );
});

test('what waits is forgotten when the client leaves', async (t) => {
  const { port, served, count } = await listen(t);
  const socket = connect(port, '127.0.0.1');
  socket.write(get('/1') + get('/2'));
  await count(1);
  const [, response] = served[0]!;
  const closed = once(response, 'close');
  socket.destroy();
  await closed;
  await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(served.length, 1);
});
