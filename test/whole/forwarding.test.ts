import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { answerPatient, issuesOf, startProxy, type Started } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startRawUpstream, type RawUpstream } from '../support/raw-upstream.ts';

const PATIENT = '{"resourceType":"Patient"}';
const OK = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${PATIENT.length}\r\n\r\n${PATIENT}`;

async function behindRaw(
  t: TestContext,
  answer: Parameters<typeof startRawUpstream>[1],
  timeouts = {},
): Promise<Started & { upstream: RawUpstream }> {
  const upstream = await startRawUpstream(t, answer);
  const started = await startProxy(t, {
    scopes: ['system/Patient.read', 'system/Patient.write'],
    // With both given, discovery is not needed and the upstream sees the exchanges alone.
    route: ({ tokenEndpoint }) => ({
      upstream: upstream.url,
      tokenEndpoint,
      audience: tokenEndpoint,
      timeouts,
    }),
  });
  return { ...started, upstream };
}

describe('what crosses to the upstream', () => {
  test('a chunked DELETE cannot smuggle a second request (CVE-2026-29057)', async (t) => {
    const { port, upstream } = await behindRaw(t, (socket) => void socket.write(OK));
    const smuggled = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n';
    await rawRequest(
      `DELETE /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      { port },
    );
    const [head = '', ...rest] = upstream.received().split('\r\n\r\n');
    assert.match(head, /^DELETE \/apis\/default\/fhir\/Patient\/1 HTTP\/1\.1\r\n/);
    const body = rest.join('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    const chunked = /\r\ntransfer-encoding: chunked/i.test(head);
    assert.notEqual(length !== undefined, chunked, 'one framing, not two, not none');
    const framed = chunked
      ? `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
      : smuggled;
    assert.equal(body, framed);
    if (length !== undefined) assert.equal(Number(length), smuggled.length);
  });

  test('Connection: close, Authorization cannot strip the token (CVE-2026-33805)', async (t) => {
    const { port, upstream } = await behindRaw(t, (socket) => void socket.write(OK));
    await rawRequest(
      'GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nConnection: close, Authorization\r\nConnection: Accept\r\n\r\n',
      { port },
    );
    assert.match(upstream.received(), /\r\nauthorization: Bearer /i);
  });

  test('Expect: 100-continue is answered by the proxy and the token is set all the same', async (t) => {
    const { port, upstream } = await behindRaw(t, (socket) => void socket.write(OK));
    const { received } = await rawRequest(
      'POST /fhir/Patient/_search HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\nname=x',
      { port },
    );
    assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(upstream.received(), /authorization: Bearer /i);
    assert.doesNotMatch(upstream.received(), /expect:/i);
  });

  test('a Trailer field neither crosses nor ends the process', async (t) => {
    const { port, upstream } = await behindRaw(t, (socket) => void socket.write(OK));
    const { answers } = await rawRequest(
      'POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n',
      { port },
    );
    assert.equal(answers[0]!.status, 200);
    assert.doesNotMatch(upstream.received(), /^(?:trailer|x-t):/im);
  });

  test('HEAD is sent as GET, its answer has the head alone', async (t) => {
    const { fetch, received } = await startProxy(t);
    const response = await fetch('/fhir/Patient/p1', { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
    assert.equal(received[0]!.method, 'GET');
  });

  test('the request target keeps its bytes', async (t) => {
    const { port, received } = await startProxy(t);
    const target =
      "/Patient/$everything?name=O'Brien&code=http://loinc.org|1-2&x=%2F..%2F&_since=2026-01-01T00:00:00%2B00:00";
    await rawRequest(`GET /fhir${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`, { port });
    assert.equal(received[0]!.url, `/apis/default/fhir${target}`);
  });
});

describe('targets that lead elsewhere are refused', () => {
  const targets = [
    'http://evil.example/fhir/Patient',
    '//evil.example/fhir',
    '/\\evil.example/fhir',
    '/fhir/../oauth2/default/token',
    '/fhir/%2e%2e/admin',
    '/fhir/.%2e/admin',
    '/fhir/%2E%2E%2Fadmin',
    '/fhir/..%2fadmin',
    '/fhir/..%5cadmin',
    '/fhir/\\..\\admin',
    '/fhir/%252e%252e/admin',
    '/fhir//evil.example',
    '/fhir/Patient#fragment',
    '/fhir/Patient%00',
    '/fhir/Patient?_REWRITE_COMMAND=default/fhir/Observation',
  ];
  for (const target of targets) {
    test(target, async (t) => {
      const { port, received } = await startProxy(t);
      const { answers } = await rawRequest(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`, {
        port,
      });
      assert.ok([400, 404].includes(answers[0]!.status), `status ${answers[0]!.status}`);
      issuesOf(answers[0]!.body);
      assert.equal(received.length, 0);
    });
  }
});

describe('what crosses to the client', () => {
  test('a control character in a reason phrase is dropped and the process lives', async (t) => {
    const { fetch } = await behindRaw(
      t,
      (socket) => void socket.write('HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n{}'),
    );
    const response = await fetch('/fhir/Patient');
    assert.ok(response.status === 200 || response.status === 502);
    assert.ok(!response.statusText.includes('\u0001'));
    assert.equal((await fetch('/_proxy/livez')).status, 200);
  });

  test('cookies, HSTS and CORS of the upstream are removed, the rest survives', async (t) => {
    const { fetch } = await behindRaw(
      t,
      (socket) =>
        void socket.write(
          'HTTP/1.1 200 Fine\r\nSet-Cookie: apiOpenEMR=abcdef\r\nStrict-Transport-Security: max-age=1\r\nAccess-Control-Allow-Origin: *\r\nETag: W/"1"\r\nContent-Length: 2\r\n\r\n{}',
        ),
    );
    const response = await fetch('/fhir/Patient');
    assert.equal(response.statusText, 'Fine');
    assert.equal(response.headers.get('etag'), 'W/"1"');
    for (const name of ['set-cookie', 'strict-transport-security', 'access-control-allow-origin']) {
      assert.equal(response.headers.get(name), null);
    }
  });

  test('a redirect is passed on, never followed', async (t) => {
    const { fetch, received } = await startProxy(t, {
      fhir: () => (_, response) =>
        void response.writeHead(302, { location: 'https://elsewhere.example/x' }).end(),
    });
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 302);
    assert.equal(response.headers.get('location'), 'https://elsewhere.example/x');
    assert.equal(received.length, 1);
  });

  test("the upstream's absolute URLs become the proxy's own, in fields and in both spellings in bodies", async (t) => {
    const { fetch, url } = await startProxy(t, {
      scopes: ['system/Patient.read'],
      fhir: (as) => (_, response) => {
        const base = as.fhirBase.href;
        response
          .writeHead(200, {
            'content-type': 'application/fhir+json',
            'content-location': `${base}/$bulkdata-status?job=1`,
          })
          .end(
            JSON.stringify({ a: `${base}/Patient/1`, b: `${base}x` }) +
              `"${base.replaceAll('/', '\\/')}\\/Patient"`,
          );
      },
    });
    const response = await fetch('/fhir/Patient');
    assert.equal(response.headers.get('content-location'), `${url}/fhir/$bulkdata-status?job=1`);
    const body = await response.text();
    assert.ok(body.includes(`"a":"${url}/fhir/Patient/1"`));
    assert.ok(body.includes(`"${`${url}/fhir`.replaceAll('/', '\\/')}\\/Patient"`));
    assert.match(body, /apis\/default\/fhirx/, 'what only begins like the base is left alone');
  });

  test('an empty failing answer becomes an OperationOutcome, another one passes byte for byte', async (t) => {
    const { fetch } = await startProxy(t, {
      fhir: () => (request, response) =>
        void (request.url!.includes('empty')
          ? response.writeHead(500, { 'content-type': 'text/html' }).end()
          : response.writeHead(404, { 'content-type': 'application/json' }).end('[]')),
    });
    const empty = await fetch('/fhir/Patient/empty');
    assert.equal(empty.status, 500);
    assert.equal(empty.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
    assert.equal(issuesOf(await empty.text())[0]!.code, 'exception');
    const other = await fetch('/fhir/Patient/nope');
    assert.equal(other.status, 404);
    assert.equal(await other.text(), '[]');
  });

  test('a failing answer longer than 64 KiB is streamed whole', async (t) => {
    const long = 'e'.repeat(200_000);
    const { fetch } = await startProxy(t, {
      fhir: () => (_, response) =>
        void response.writeHead(500, { 'content-type': 'text/plain' }).end(long),
    });
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 500);
    assert.equal(await response.text(), long);
  });
});

describe('when the upstream breaks', () => {
  test('refused: 502 that names the upstream', async (t) => {
    const { fetch } = await startProxy(t, {
      route: ({ tokenEndpoint }) => ({
        upstream: 'http://127.0.0.1:9/apis/default/fhir',
        tokenEndpoint,
        audience: tokenEndpoint,
      }),
    });
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 502);
    assert.match(response.headers.get('proxy-status')!, /error=connection_refused/);
    assert.match(
      issuesOf(await response.text())[0]!.diagnostics,
      /upstream "http:\/\/127\.0\.0\.1:9" refused/,
    );
  });

  test('reset before the head: a GET is tried once more, then 502', async (t) => {
    const { fetch, upstream } = await behindRaw(t, (socket) => socket.destroy());
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 502);
    assert.match(response.headers.get('proxy-status')!, /error=connection_terminated/);
    assert.equal(upstream.sockets.length, 2);
  });

  test('reset before the head: a POST is never sent twice', async (t) => {
    const { fetch, upstream } = await behindRaw(t, (socket) => socket.destroy());
    const response = await fetch('/fhir/Patient', { method: 'POST', body: '{}' });
    assert.equal(response.status, 502);
    assert.equal(upstream.received().match(/POST /g)!.length, 1);
  });

  test('a kept-alive connection that was closed meanwhile goes unseen', async (t) => {
    let answers = 0;
    const { fetch } = await behindRaw(t, (socket) => {
      answers += 1;
      // The second request meets a connection that the server gives up at that moment.
      if (answers === 2) socket.destroy();
      else socket.write(OK);
    });
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.equal(answers, 3);
  });

  test('too slow: 504', async (t) => {
    const { fetch } = await behindRaw(t, () => {}, { headMs: 1_000 });
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 504);
    assert.match(response.headers.get('proxy-status')!, /error=http_response_timeout/);
  });

  test('garbage instead of HTTP: 502', async (t) => {
    const { fetch } = await behindRaw(t, (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 502);
    assert.match(response.headers.get('proxy-status')!, /error=http_protocol_error/);
  });

  for (const [name, head] of [
    [
      'with a length',
      'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\nhalf',
    ],
    [
      'chunked',
      'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ],
  ] as const) {
    test(`dying mid-body (${name}) destroys the client's connection, never a clean end`, async (t) => {
      const { port, exchanges, over } = await behindRaw(t, (socket) => {
        socket.write(head);
        setImmediate(() => socket.destroy());
      });
      const { received, closed } = await rawRequest(
        'GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n',
        {
          port,
          untilClosed: true,
        },
      );
      assert.equal(closed, true);
      assert.ok(received.includes('half') || received === '');
      assert.doesNotMatch(received, /\r\n0\r\n\r\n$/);
      await over(1);
      assert.equal(exchanges[0]!.outcome, 'upstream-died');
    });
  }

  test('dying within a failing answer: 502, for nothing of it was sent', async (t) => {
    const { fetch } = await behindRaw(t, (socket) => {
      socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf');
      setImmediate(() => socket.destroy());
    });
    assert.equal((await fetch('/fhir/Patient')).status, 502);
  });
});

describe('when the client leaves', () => {
  test('the upstream request ends', async (t) => {
    const { port, upstream, exchanges, over } = await behindRaw(t, (socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      );
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await upstream.closed(0);
    await over(1);
    assert.equal(exchanges[0]!.outcome, 'client-gone');
  });

  test('before the head, the upstream request ends too', async (t) => {
    let arrived = () => {};
    const head = new Promise<void>((resolve) => (arrived = resolve));
    const { port, upstream } = await behindRaw(t, () => arrived());
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await head;
    socket.destroy();
    await upstream.closed(0);
  });

  test('in the middle of its upload, the upstream request ends and the process lives', async (t) => {
    let arrived = () => {};
    const head = new Promise<void>((resolve) => (arrived = resolve));
    const { port, upstream, fetch } = await behindRaw(t, (socket, text) => {
      if (text.startsWith('GET')) socket.write(OK);
      else arrived();
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{',
    );
    await head;
    socket.destroy();
    await upstream.closed(0);
    assert.equal((await fetch('/fhir/Patient')).status, 200);
  });

  test('in the middle of a short upload, nothing of it reaches the upstream', async (t) => {
    const heads: string[] = [];
    const { port, exchanges, over, fetch } = await behindRaw(t, (socket, text) => {
      heads.push(text.split(' ', 1)[0]!);
      socket.write(OK);
    });
    const socket = connect(port, '127.0.0.1');
    socket.end(
      'POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    await over(1);
    assert.equal(exchanges[0]!.outcome, 'client-gone');
    assert.equal((await fetch('/fhir/Patient')).status, 200);
    assert.deepEqual(heads, ['GET']);
  });
});

test('bodies are streamed: the first bytes arrive before the last were sent', async (t) => {
  let finish = () => {};
  const { port } = await startProxy(t, {
    fhir: () => (_, response) => {
      response.writeHead(200, { 'content-type': 'application/fhir+ndjson' });
      response.write('{"first":1}\n');
      finish = () => response.end('{"last":1}\n');
    },
  });
  const request = httpRequest({ port, path: '/fhir/Patient' }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const [first] = (await once(response, 'data')) as [Buffer];
  assert.equal(first.toString(), '{"first":1}\n');
  finish();
  let rest = '';
  for await (const chunk of response) rest += String(chunk);
  assert.equal(rest, '{"last":1}\n');
});

test('a slow reader slows the upstream: the proxy holds no more than a few buffers', async (t) => {
  const total = 64 * 1_048_576;
  let sent = 0;
  const chunk = Buffer.alloc(65_536, 'a');
  const { port } = await startProxy(t, {
    fhir: () => (_, response) => {
      response.writeHead(200, { 'content-type': 'application/fhir+ndjson' });
      const pump = (): void => {
        while (sent < total) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', pump);
            return;
          }
        }
        response.end();
      };
      pump();
    },
  });
  const request = httpRequest({ port, path: '/fhir/Patient' }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  let before = -1;
  while (before !== sent) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(sent < 24 * 1_048_576, `${sent} bytes were taken from the upstream`);
  let read = 0;
  for await (const piece of response) read += (piece as Buffer).length;
  assert.equal(read, total);
});

test('an answer that comes before the upload has ended reaches the client', async (t) => {
  const { port } = await startProxy(t, {
    scopes: ['system/Patient.write'],
    fhir: () => (_, response) =>
      void response.writeHead(413, { connection: 'close' }).end('too much'),
  });
  const request = httpRequest({
    port,
    path: '/fhir/Patient',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  request.on('error', () => {});
  request.write(Buffer.alloc(262_144));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 413);
  request.destroy();
});

test('two routes, the longest path first', async (t) => {
  const { fetch, received } = await startProxy(t, { fhir: () => answerPatient });
  assert.equal((await fetch('/fhirx/Patient')).status, 404);
  assert.equal((await fetch('/fhir/Patient')).status, 200);
  assert.equal(received.length, 1);
});
