import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { answerPatient, issuesOf, startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest, type RawExchange } from '../support/raw-request.ts';

const LOCAL = 'Host: localhost';
const GET = rawHead(['GET /fhir/Patient HTTP/1.1', LOCAL]);
const post = (...fields: string[]) => rawHead(['POST /fhir/Patient HTTP/1.1', LOCAL, ...fields]);
const JSON_TYPE = 'Content-Type: application/fhir+json';

/** The one answer: an OperationOutcome after which the connection ends. */
function assertRefusal({ answers, received }: RawExchange, status: number, says: RegExp): void {
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [status],
    received,
  );
  const [answer] = answers;
  assert.equal(answer?.field('content-type'), 'application/fhir+json; charset=utf-8');
  assert.equal(answer?.field('connection'), 'close');
  assert.match(
    answer?.field('proxy-status') ?? '',
    /^fhir-auth-proxy; error=http_request_denied; /,
  );
  assert.match(issuesOf(answer?.body ?? '')[0]?.diagnostics ?? '', says);
}

function open(t: TestContext, port: number): { socket: Socket; received: () => string } {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return { socket, received: () => text };
}

describe('what is no HTTP gets an OperationOutcome and the end of its connection', () => {
  const secret = 'sesame-open-wide';
  const cases: readonly (readonly [name: string, bytes: string, status: number, says: RegExp])[] = [
    ['garbage', `${secret}\r\n\r\n`, 400, /is not HTTP\/1\.1/],
    ['a space in a field name', rawHead(['GET / HTTP/1.1', `X ${secret}: 1`]), 400, /is not HTTP/],
    ['a bare line feed', `GET / HTTP/1.1\nHost: ${secret}\n\n`, 400, /is not HTTP/],
    [
      'two framings',
      rawHead(['POST / HTTP/1.1', LOCAL, 'Content-Length: 3', 'Transfer-Encoding: chunked'], '0'),
      400,
      /is not HTTP/,
    ],
    ['two lengths', post('Content-Length: 3', 'Content-Length: 4'), 400, /is not HTTP/],
    ['no host', rawHead([`GET /${secret} HTTP/1.1`]), 400, /./],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, /is not HTTP\/1\.1/],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, /write "http:\/\/"/],
    ['a long head', rawHead(['GET / HTTP/1.1', `X: ${secret.repeat(2000)}`]), 431, /headerBytes/],
    [
      'a malformed chunk',
      post('Transfer-Encoding: chunked', JSON_TYPE) + `${secret}\r\n`,
      400,
      /is not HTTP/,
    ],
    [
      'endless chunk extensions',
      post('Transfer-Encoding: chunked', JSON_TYPE) + `1;${'x'.repeat(20_000)}`,
      413,
      /extensions/,
    ],
    [
      'CONNECT',
      rawHead(['CONNECT evil.com:443 HTTP/1.1', 'Host: evil.com:443']),
      405,
      /no forward proxy/,
    ],
  ];
  for (const [name, bytes, status, says] of cases) {
    test(name, async (t) => {
      const { port, received, log, watch } = await startProxy(t);
      const exchange = await rawRequest(bytes, { port, untilClosed: true });
      watch.addBody(exchange.received);
      if (name !== 'no host') assertRefusal(exchange, status, says);
      assert.equal(exchange.answers[0]?.status, status);
      assert.ok(!exchange.received.includes(secret), 'nothing of the request is repeated');
      assert.ok(!log().includes(secret));
      if (name === 'TLS') assert.match(log(), /"code":"tls-refused"/);
      assert.equal(received.length, 0);
      assert.equal((await rawRequest(GET, { port })).answers[0]?.status, 200, 'the process lives');
    });
  }
});

test('a head that goes on for ever is answered and cut', async (t) => {
  const { port } = await startProxy(t);
  const { socket, received } = open(t, port);
  socket.write('GET / HTTP/1.1\r\n');
  const closed = once(socket, 'close');
  const flood = setInterval(() => socket.write(`X-Flood: ${'x'.repeat(4000)}\r\n`), 5);
  t.after(() => clearInterval(flood));
  await closed;
  assert.match(received(), /^HTTP\/1\.1 431 /);
});

test('what comes after a whole request is refused after its answer, not in place of it', async (t) => {
  let answer = () => {};
  const arrived = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let finish = () => {};
  const { port } = await startProxy(t, {
    fhir: () => (request, response) => {
      finish = () => answerPatient(request, response);
      answer();
    },
  });
  const { socket, received } = open(t, port);
  socket.write(`${GET}garbage\r\n\r\n`);
  await arrived;
  assert.equal(received(), '');
  finish();
  await once(socket, 'close');
  assert.deepEqual(received().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('within an answer that has begun nothing else is said', async (t) => {
  let begun = () => {};
  const head = new Promise<void>((resolve) => (begun = resolve));
  const { port } = await startProxy(t, {
    scopes: ['system/Patient.write'],
    fhir: () => (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('half');
      begun();
    },
  });
  const { socket, received } = open(t, port);
  socket.write(`${post('Transfer-Encoding: chunked', JSON_TYPE)}2\r\n{}\r\n`);
  await head;
  while (!received().includes('half')) await once(socket, 'data');
  socket.write('no chunk\r\n');
  await once(socket, 'close');
  assert.deepEqual(received().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200']);
  assert.doesNotMatch(received(), /OperationOutcome|\r\n0\r\n/);
});

describe('Expect: 100-continue', () => {
  const expecting = (path: string, ...fields: string[]) =>
    rawHead([
      `POST ${path} HTTP/1.1`,
      LOCAL,
      'Expect: 100-continue',
      'Content-Length: 2',
      ...fields,
    ]);

  test('an admitted request gets 100 Continue, once', async (t) => {
    const { port } = await startProxy(t, {
      scopes: ['system/Patient.write'],
      fhir: () => answerPatient,
    });
    const { socket, received } = open(t, port);
    socket.write(expecting('/fhir/Patient', JSON_TYPE));
    await once(socket, 'data');
    assert.equal(received(), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    await once(socket, 'data');
    assert.match(received(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('so is one whose body is looked into', async (t) => {
    const { port } = await startProxy(t, { fhir: () => answerPatient });
    const { socket, received } = open(t, port);
    socket.write(
      expecting('/fhir/Patient/_search', 'Content-Type: application/x-www-form-urlencoded'),
    );
    await once(socket, 'data');
    assert.equal(received(), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('a=');
    await once(socket, 'data');
    assert.match(received(), /HTTP\/1\.1 200 OK\r\n/);
  });

  test('a refused one is not, and its connection ends', async (t) => {
    const { port } = await startProxy(t, { route: { access: { readOnly: true } } });
    const refused = await rawRequest(expecting('/fhir/Patient', JSON_TYPE), {
      port,
      untilClosed: true,
    });
    assertRefusal(refused, 403, /read-only/);
    assert.match(refused.received, /^HTTP\/1\.1 403 /);
  });

  test('nor is one for which there is no token', async (t) => {
    const { port, authorization } = await startProxy(t);
    authorization.scriptToken({ status: 500 });
    const { received } = await rawRequest(expecting('/fhir/Patient', JSON_TYPE), {
      port,
      untilClosed: true,
    });
    assert.match(received, /^HTTP\/1\.1 503 /);
  });

  test('another expectation does not matter', async (t) => {
    const { port } = await startProxy(t);
    const head = rawHead(['GET /fhir/Patient HTTP/1.1', LOCAL, 'Expect: a-miracle']);
    assert.equal((await rawRequest(head, { port })).answers[0]?.status, 200);
  });
});

describe('a refused request whose body is still on its way', () => {
  const readOnly = { route: { access: { readOnly: true } } } as const;

  test('a short one is read to its end, and the connection goes on', async (t) => {
    const { port } = await startProxy(t, readOnly);
    const bytes = `${post(JSON_TYPE, 'Content-Length: 2')}{}${GET}`;
    const { answers } = await rawRequest(bytes, { port, answers: 2 });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [403, 200],
    );
    assert.equal(answers[0]?.field('connection'), 'keep-alive');
  });

  for (const [name, field] of [
    ['long', 'Content-Length: 100000000'],
    ['endless', 'Transfer-Encoding: chunked'],
  ] as const) {
    test(`a ${name} one ends the connection soon, the answer read before`, async (t) => {
      const { port, received, exchanges, over } = await startProxy(t, readOnly);
      const { socket, received: answer } = open(t, port);
      const started = performance.now();
      const closed = once(socket, 'close');
      socket.write(post(JSON_TYPE, field));
      const flood = setInterval(() => socket.write(`8000\r\n${'x'.repeat(0x8000)}\r\n`), 5);
      t.after(() => clearInterval(flood));
      await once(socket, 'data');
      assert.ok(performance.now() - started < 1000, 'the answer does not wait for the body');
      await closed;
      assert.ok(performance.now() - started < 4000);
      assert.match(answer(), /^HTTP\/1\.1 403 [^]*\r\nConnection: close\r\n[^]*read-only/);
      await over(1);
      assert.equal(exchanges[0]?.outcome, 'refused');
      assert.equal(received.length, 0);
    });
  }

  test('so does a Bundle that is too long to be looked into', async (t) => {
    const { port, received } = await startProxy(t, readOnly);
    const { socket, received: answer } = open(t, port);
    const closed = once(socket, 'close');
    socket.write(rawHead(['POST /fhir HTTP/1.1', LOCAL, JSON_TYPE, 'Content-Length: 100000000']));
    const flood = setInterval(() => socket.write('x'.repeat(300_000)), 5);
    t.after(() => clearInterval(flood));
    await closed;
    assert.match(answer(), /^HTTP\/1\.1 413 /);
    assert.equal(received.length, 0);
  });

  test('and an answer of the upstream that comes before the upload has ended', async (t) => {
    const { port, exchanges, over } = await startProxy(t, {
      scopes: ['system/Patient.write'],
      fhir: () => (_, response) => void response.writeHead(413).end('too much'),
    });
    const { socket, received } = open(t, port);
    const closed = once(socket, 'close');
    socket.write(post(JSON_TYPE, 'Content-Length: 100000000'));
    const flood = setInterval(() => socket.write('x'.repeat(300_000)), 20);
    t.after(() => clearInterval(flood));
    await closed;
    assert.match(received(), /^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n[^]*too much/);
    await over(1);
    assert.equal(exchanges[0]?.status, 413);
  });
});

describe('a client that is too slow', () => {
  test('with its body gets 408', async (t) => {
    const { port } = await startProxy(t, {
      scopes: ['system/Patient.write'],
      fhir: () => () => {},
      config: { listen: { limits: { headersMs: 300, requestMs: 600 } } },
    });
    const { socket, received } = open(t, port);
    socket.write(`${post(JSON_TYPE, 'Content-Length: 1000')}{`);
    const drip = setInterval(() => socket.write(' '), 50);
    t.after(() => clearInterval(drip));
    await once(socket, 'close');
    assert.match(received(), /^HTTP\/1\.1 408 [^]*request-timeout[^]*did not arrive in time/);
  });

  test('to read its answer loses its connection, and the upstream is let go', async (t) => {
    let closed = () => {};
    const upstreamClosed = new Promise<void>((resolve) => (closed = resolve));
    const { port } = await startProxy(t, {
      config: { listen: { limits: { stalledMs: 300 } } },
      fhir: () => (_, response) => {
        response.once('close', closed);
        response.writeHead(200, { 'content-type': 'text/plain' });
        const pump = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          response.once('drain', pump);
        };
        pump();
      },
    });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    socket.write(GET);
    await upstreamClosed;
  });

  test('but one that waits for a slow upstream is not', async (t) => {
    const { port } = await startProxy(t, {
      config: { listen: { limits: { stalledMs: 100 } } },
      fhir: () => (request, response) =>
        void setTimeout(() => answerPatient(request, response), 400),
    });
    assert.equal((await rawRequest(GET, { port })).answers[0]?.status, 200);
  });

  test('to send anything at all is closed without a word', async (t) => {
    const { port } = await startProxy(t, { config: { listen: { limits: { headersMs: 200 } } } });
    const { socket, received } = open(t, port);
    await once(socket, 'close');
    assert.equal(received(), '');
  });
});

test('a request that asks for another protocol is answered in this one', async (t) => {
  const { port, received } = await startProxy(t);
  for (const protocol of ['websocket', 'h2c', 'TLS/1.0']) {
    const head = rawHead([
      'GET /fhir/Patient HTTP/1.1',
      LOCAL,
      'Connection: Upgrade, HTTP2-Settings',
      `Upgrade: ${protocol}`,
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ]);
    assert.equal((await rawRequest(head, { port })).answers[0]?.status, 200, protocol);
    const names =
      received
        .at(-1)
        ?.rawHeaders.filter((_, i) => i % 2 === 0)
        .join(' ') ?? '';
    assert.doesNotMatch(names, /upgrade|http2-settings/i);
  }
});

test('what is not HTTP is counted and logged, without any of its bytes', async (t) => {
  const { port, log, fetch, watch } = await startProxy(t);
  watch.addSecret('sesame-open-wide');
  await rawRequest('sesame-open-wide\r\n\r\n', { port });
  await rawRequest('\x16\x03\x01sesame-open-wide', { port });
  await rawRequest(rawHead(['CONNECT sesame-open-wide:443 HTTP/1.1', LOCAL]), { port });
  const page = await (await fetch('/_proxy/metrics')).text();
  for (const code of ['request-malformed', 'tls-refused', 'method-refused']) {
    assert.match(log(), new RegExp(`"code":"${code}".*"refused: `));
    assert.ok(page.includes(`fhir_auth_proxy_unparsed_requests_total{code="${code}"} 1\n`), code);
  }
});
