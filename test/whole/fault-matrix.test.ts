/**
 * Every way in which a server can break, met by the token endpoint and by the upstream, under a
 * request without and with a body: what the client is told, that nothing is leaked and that the
 * proxy goes on.
 */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';

import { startBrokenServer, type Breaking, type BrokenServer } from '../support/broken-server.ts';
import { createAuthority, createCertificate, type Certificate } from '../support/certificates.ts';
import { answerPatient, issuesOf, startProxy, type Started } from '../support/proxy.ts';
import { rawHead, rawRequest, type RawExchange } from '../support/raw-request.ts';

const METHODS = ['GET', 'POST'] as const;
type Method = (typeof METHODS)[number];

/** What the client of the proxy is told: status, error of `Proxy-Status`, id of the hint. */
type Told = readonly [status: number, error: string, hint: string];

/** `died`: the connection is cut in the middle of the answer. `answered`: nothing is noticed. */
type Expected = Told | 'died' | 'answered';

/** One way to break. */
interface Fault {
  name: string;
  /** What the server does about a request; absent when no request gets that far. */
  breaks?: Breaking;
  certificate?: () => Certificate;
  /** What it says to bytes that are no HTTP. */
  greets?: string;
  /** Origin in place of the server's own. */
  origin?: string;
  upstream: Expected | Readonly<Record<Method, Expected>>;
  token: Expected;
  /** Requests that reach the upstream, when it is not one. */
  attempts?: Readonly<Record<Method, number>>;
}

const PATIENT = '{"resourceType":"Patient","id":"p1"}';
const TOKEN = '{"access_token":"abcdefghijklmnop","token_type":"Bearer","expires_in":300}';
const LONG = 'x'.repeat(100_000);

/** What either endpoint answers when it works. */
const bodyFor = (head: string): string => (head.includes('/token ') ? TOKEN : PATIENT);
const whole = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
/** Writes, then resets the connection once that has left. */
const writeAndReset = (socket: Socket, text: string): void => {
  socket.write(text);
  setTimeout(() => socket.resetAndDestroy(), 30);
};

const unavailable = (hint: string): Told => [503, 'destination_unavailable', hint];
const misconfigured = (hint: string): Told => [503, 'proxy_configuration_error', hint];

let folder = '';
let authorityFile = '';
const certificates: Record<'authority' | 'selfSigned' | 'expired' | 'wrongName', Certificate> =
  {} as never;

const FAULTS: readonly Fault[] = [
  {
    name: 'nothing listens',
    origin: 'http://127.0.0.1:9',
    upstream: [502, 'connection_refused', 'connection-refused'],
    token: unavailable('connection-refused'),
  },
  {
    name: 'the name is not known',
    origin: 'http://openemr.invalid',
    upstream: [502, 'dns_error', 'dns-failed'],
    token: unavailable('dns-failed'),
  },
  {
    name: 'a self-signed certificate',
    certificate: () => certificates.selfSigned,
    upstream: [502, 'tls_certificate_error', 'upstream-tls'],
    token: misconfigured('upstream-tls'),
  },
  {
    name: 'an expired certificate',
    certificate: () => certificates.expired,
    upstream: [502, 'tls_certificate_error', 'tls-expired'],
    token: misconfigured('tls-expired'),
  },
  {
    name: 'a certificate for another name',
    certificate: () => certificates.wrongName,
    upstream: [502, 'tls_certificate_error', 'tls-wrong-name'],
    token: misconfigured('tls-wrong-name'),
  },
  {
    name: 'reset before the head',
    breaks: (socket) => socket.resetAndDestroy(),
    upstream: [502, 'connection_terminated', 'connection-reset'],
    token: unavailable('connection-reset'),
    attempts: { GET: 2, POST: 1 },
  },
  {
    name: 'closed before the head',
    breaks: (socket) => void socket.end(),
    upstream: [502, 'connection_terminated', 'connection-reset'],
    token: unavailable('connection-reset'),
    attempts: { GET: 2, POST: 1 },
  },
  {
    name: 'reset inside the head',
    breaks: (socket) => writeAndReset(socket, 'HTTP/1.1 200 OK\r\nContent-Ty'),
    upstream: [502, 'connection_terminated', 'connection-reset'],
    token: unavailable('connection-reset'),
    attempts: { GET: 2, POST: 1 },
  },
  {
    name: 'reset inside the body',
    breaks: (socket) => writeAndReset(socket, whole(LONG).slice(0, 1000)),
    upstream: 'died',
    token: unavailable('connection-reset'),
  },
  {
    name: 'reset inside a chunked body',
    breaks: (socket) =>
      writeAndReset(
        socket,
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      ),
    upstream: 'died',
    token: unavailable('connection-reset'),
  },
  {
    name: 'reset inside the body of an error',
    breaks: (socket) =>
      writeAndReset(socket, 'HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf'),
    upstream: [502, 'connection_terminated', 'connection-reset'],
    token: unavailable('connection-reset'),
  },
  {
    name: 'silence before the head',
    breaks: () => {},
    upstream: [504, 'http_response_timeout', 'answer-timeout'],
    token: unavailable('answer-timeout'),
  },
  {
    name: 'silence inside the head',
    breaks: (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Ty'),
    upstream: [504, 'http_response_timeout', 'answer-timeout'],
    token: unavailable('answer-timeout'),
  },
  {
    name: 'silence inside the body',
    breaks: (socket) => void socket.write(whole(LONG).slice(0, 1000)),
    upstream: 'died',
    token: unavailable('answer-timeout'),
  },
  {
    name: 'another protocol',
    breaks: (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    upstream: [502, 'http_protocol_error', 'not-http'],
    token: misconfigured('not-http'),
  },
  {
    name: 'TLS where plain HTTP is expected',
    breaks: (socket) => void socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 0x46])),
    upstream: [502, 'http_protocol_error', 'not-http'],
    token: misconfigured('not-http'),
  },
  {
    name: 'plain HTTP where TLS is expected',
    origin: 'https',
    greets: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    upstream: [502, 'tls_protocol_error', 'tls-on-http-port'],
    token: misconfigured('tls-on-http-port'),
  },
  {
    name: 'silence inside the TLS handshake',
    origin: 'https',
    upstream: [504, 'connection_timeout', 'connect-timeout'],
    token: unavailable('connect-timeout'),
  },
  {
    name: 'a field that is none',
    breaks: (socket) => void socket.write('HTTP/1.1 200 OK\r\nno field\r\n\r\n{}'),
    upstream: [502, 'http_protocol_error', 'not-http'],
    token: misconfigured('not-http'),
  },
  {
    name: 'two lengths',
    breaks: (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'),
    upstream: [502, 'http_response_incomplete', 'answer-incomplete'],
    token: unavailable('answer-incomplete'),
  },
  {
    name: 'a body shorter than its length',
    breaks: (socket) => void socket.end(whole(LONG).slice(0, 1000)),
    upstream: 'died',
    token: unavailable('connection-reset'),
  },
  {
    name: 'a body longer than its length',
    breaks: (socket, { head }) => void socket.write(`${whole(bodyFor(head))}and more`),
    upstream: 'answered',
    token: 'answered',
  },
  {
    name: 'a chunk that is none',
    breaks: (socket) =>
      void socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnot a chunk\r\n',
      ),
    upstream: 'died',
    token: misconfigured('not-http'),
  },
  {
    name: 'a head without end',
    breaks: (socket) => void socket.write(whole('{}', `X-Long: ${LONG}\r\n`)),
    upstream: [502, 'http_protocol_error', 'answer-head-too-long'],
    token: misconfigured('answer-head-too-long'),
  },
  {
    name: 'interim answers before the real one',
    breaks: (socket, { head }) =>
      void socket.write(
        `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${whole(bodyFor(head))}`,
      ),
    upstream: 'answered',
    token: 'answered',
  },
  {
    // undici takes it for a broken answer, though RFC 9110 section 15.2 would have it passed over.
    name: 'a 100 Continue that nobody asked for',
    breaks: (socket, { head }) =>
      void socket.write(`HTTP/1.1 100 Continue\r\n\r\n${whole(bodyFor(head))}`),
    upstream: [502, 'http_protocol_error', 'interim-answer-unasked'],
    token: misconfigured('interim-answer-unasked'),
  },
  {
    name: 'another protocol that nobody asked for',
    breaks: (socket) =>
      void socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      ),
    upstream: [502, 'http_protocol_error', 'interim-answer-unasked'],
    token: misconfigured('interim-answer-unasked'),
  },
];

/** A request through the proxy, as its client sees the end of it. */
function send({ port }: Started, path: string, method: Method): Promise<RawExchange> {
  const body = '{"resourceType":"Patient"}';
  const fields = ['Content-Type: application/fhir+json', `Content-Length: ${body.length}`];
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close'];
  const bytes = method === 'GET' ? rawHead(head) : rawHead([...head, ...fields], body);
  return rawRequest(bytes, { port, untilClosed: true, timeoutMs: 10_000 });
}

async function startFault(
  t: TestContext,
  { breaks, certificate, greets }: Fault,
): Promise<BrokenServer> {
  const answer: Breaking = (socket, { head }) => void socket.write(whole(bodyFor(head)));
  return startBrokenServer(t, breaks ?? answer, {
    ...(certificate === undefined ? {} : { tls: certificate() }),
    ...(greets === undefined ? {} : { greets }),
  });
}

/** A proxy with a route whose upstream or token endpoint is broken, and one that works. */
async function startMatrixProxy(
  t: TestContext,
  column: 'upstream' | 'token',
  fault: Fault,
  server: BrokenServer,
): Promise<Started> {
  const origin =
    fault.origin === 'https'
      ? server.origin.replace('http', 'https')
      : (fault.origin ?? server.origin);
  const timeouts = {
    connectMs: 1000,
    headMs: 1000,
    idleMs: 1000,
    // Where the upstream is what breaks, a busy machine must not make the token late.
    tokenMs: column === 'token' ? 2000 : 30_000,
  };
  const tls = { ca: authorityFile };
  const tokenUrl = `${origin}/oauth2/default/token`;
  const started = await startProxy(t, {
    scopes: ['system/Patient.read', 'system/Patient.write'],
    fhir: () => answerPatient,
    route: ({ tokenEndpoint }) =>
      column === 'upstream'
        ? {
            upstream: `${origin}/apis/default/fhir`,
            tokenEndpoint,
            audience: tokenEndpoint,
            timeouts,
            tls,
          }
        : { tokenEndpoint: tokenUrl, audience: tokenUrl, timeouts, tls },
    further: [{ path: '/works' }],
  });
  return started;
}

function assertTold({ answers: [answer] }: RawExchange, [status, error, hint]: Told): void {
  assert.equal(answer?.status, status, answer?.body);
  assert.equal(answer.field('content-type'), 'application/fhir+json; charset=utf-8');
  assert.match(answer.field('proxy-status') ?? '', new RegExp(`; error=${error};`));
  const issues = issuesOf(answer.body);
  assert.ok(issues[0]?.diagnostics);
  assert.match(issues[1]?.diagnostics ?? 'no hint', new RegExp(`\\[${hint}\\]$`));
  assert.match(answer.field('link') ?? '', new RegExp(`/_proxy/hints/${hint}>; rel="help"`));
  assert.equal(answer.field('retry-after') !== undefined, status === 503);
}

async function assertCell(
  t: TestContext,
  column: 'upstream' | 'token',
  fault: Fault,
  method: Method,
): Promise<void> {
  const server = await startFault(t, fault);
  const started = await startMatrixProxy(t, column, fault, server);
  const exchange = await send(started, '/fhir/Patient', method);
  started.watch.addBody(exchange.received);
  const { [column]: each } = fault;
  const expected = typeof each === 'object' && 'GET' in each ? each[method] : each;
  await started.over(1);
  const [seen] = started.exchanges;
  if (expected === 'died') {
    assert.equal(exchange.closed, true);
    assert.match(exchange.received, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(exchange.received, /\r\n0\r\n\r\n$/, 'a cut body must not look whole');
    assert.equal(seen?.outcome, 'upstream-died');
    assert.ok(seen?.hints.length, 'the log explains it');
  } else if (expected === 'answered') {
    assert.equal(exchange.answers[0]?.status, 200, exchange.received);
    assert.equal(exchange.answers[0]?.body, PATIENT);
  } else {
    assertTold(exchange, expected);
    assert.equal(seen?.outcome, 'failed');
  }
  if (fault.attempts !== undefined && column === 'upstream') {
    assert.equal(server.heads.length, fault.attempts[method], 'attempts');
  }
  if (column === 'token') assert.ok(server.heads.length <= 1, 'one token request');

  // Nothing is left of it: neither here nor there, and everything else works.
  if (expected !== 'answered') await server.idle();
  await idle(started);
  assert.equal((await send(started, '/works/Patient', method)).answers[0]?.status, 200);
  assert.equal((await send(started, '/_proxy/livez', 'GET')).answers[0]?.status, 200);
}

/** Resolves once no client is connected. */
async function idle({ proxy: { server } }: Started): Promise<void> {
  const count = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, open) => resolve(open)));
  while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fault-matrix-'));
  certificates.authority = await createAuthority();
  authorityFile = join(folder, 'authority.pem');
  writeFileSync(authorityFile, certificates.authority.cert);
  certificates.selfSigned = await createCertificate();
  certificates.expired = await createCertificate(
    { notAfterMs: Date.now() - 86_400_000 },
    certificates.authority,
  );
  certificates.wrongName = await createCertificate(
    { hosts: ['other.example'], addresses: [] },
    certificates.authority,
  );
});

// A resolver that knows no ".invalid" (RFC 6761), without asking a network.
const { lookup } = dns;
dns.lookup = ((name: string, options: object, done: (error: Error) => void) => {
  if (!name.endsWith('.invalid')) lookup(name, options, done as never);
  else done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }));
}) as never;

after(() => {
  dns.lookup = lookup;
  rmSync(folder, { recursive: true });
});

for (const column of ['upstream', 'token'] as const) {
  describe(`the ${column === 'token' ? 'token endpoint' : 'upstream'}`, { concurrency: 4 }, () => {
    for (const fault of FAULTS) {
      for (const method of METHODS) {
        test(`${fault.name}, ${method}`, (t) => assertCell(t, column, fault, method));
      }
    }
  });
}

describe('a connection that is closed as it is used again', () => {
  /** Gives up the second request of each connection without a word. */
  const stale: Breaking = (socket) => {
    if (used.has(socket)) socket.destroy();
    else socket.write(whole(PATIENT));
    used.add(socket);
  };
  const used = new WeakSet<Socket>();
  const form = 'Content-Type: application/x-www-form-urlencoded';
  const fhirJson = 'Content-Type: application/fhir+json';
  const unseen: readonly (readonly string[])[] = [
    ['GET /fhir/Patient HTTP/1.1'],
    ['HEAD /fhir/Patient HTTP/1.1'],
    ['DELETE /fhir/Patient/1 HTTP/1.1'],
    ['PUT /fhir/Patient/1 HTTP/1.1', fhirJson, 'Content-Length: 2'],
    ['POST /fhir/Patient/_search HTTP/1.1', form, 'Content-Length: 2'],
  ];
  const told: readonly (readonly string[])[] = [
    ['POST /fhir/Patient HTTP/1.1', fhirJson, 'Content-Length: 2'],
    ['PATCH /fhir/Patient/1 HTTP/1.1', fhirJson, 'Content-Length: 2'],
    ['PUT /fhir/Patient/1 HTTP/1.1', fhirJson, 'If-Match: W/"1"', 'Content-Length: 2'],
    ['PUT /fhir/Patient/1 HTTP/1.1', fhirJson, 'Content-Length: 1048577'],
  ];
  for (const [lines, isUnseen] of [
    ...unseen.map((lines) => [lines, true] as const),
    ...told.map((lines) => [lines, false] as const),
  ]) {
    test(`${lines.join(', ')}: ${isUnseen ? 'is sent again, unseen' : 'is not sent twice'}`, async (t) => {
      const server = await startBrokenServer(t, stale);
      const started = await startProxy(t, {
        scopes: ['system/Patient.read', 'system/Patient.write'],
        route: ({ tokenEndpoint }) => ({
          upstream: `${server.origin}/apis/default/fhir`,
          tokenEndpoint,
          audience: tokenEndpoint,
          maxConnections: 1,
        }),
      });
      assert.equal((await started.fetch('/fhir/Patient')).status, 200);
      const length = Number(/Content-Length: (\d+)/.exec(lines.join())?.[1] ?? 0);
      const head = rawHead(
        [...lines, 'Host: localhost', 'Connection: close'],
        'a='.repeat(length / 2),
      );
      const exchange = await rawRequest(head.padEnd(head.length + (length % 2), '='), {
        port: started.port,
        untilClosed: true,
      });
      assert.match(exchange.received, isUnseen ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 502 /);
      assert.equal(server.heads.length, isUnseen ? 3 : 2);
    });
  }
});

test('a server that does not read what is uploaded: the client is told, and let go', async (t) => {
  const server = await startBrokenServer(t, (socket) => void socket.pause());
  const started = await startProxy(t, {
    scopes: ['system/Patient.write'],
    route: ({ tokenEndpoint }) => ({
      upstream: `${server.origin}/apis/default/fhir`,
      tokenEndpoint,
      audience: tokenEndpoint,
      timeouts: { headMs: 500 },
    }),
  });
  const head = rawHead([
    'POST /fhir/Patient HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/fhir+json',
    'Content-Length: 50000000',
  ]);
  const exchange = await rawRequest(head + 'x'.repeat(20_000_000), {
    port: started.port,
    untilClosed: true,
  });
  assertTold(exchange, [504, 'http_response_timeout', 'answer-timeout']);
  assert.equal(exchange.answers[0]?.field('connection'), 'close');
});

test('an answer before the upload has been read, and the end: the client gets the answer', async (t) => {
  const server = await startBrokenServer(t, (socket) => {
    socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much');
  });
  const started = await startProxy(t, {
    scopes: ['system/Patient.write'],
    route: ({ tokenEndpoint }) => ({
      upstream: `${server.origin}/apis/default/fhir`,
      tokenEndpoint,
      audience: tokenEndpoint,
    }),
  });
  const head = rawHead([
    'POST /fhir/Patient HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/fhir+json',
    'Content-Length: 4000000',
  ]);
  const { answers } = await rawRequest(head + 'x'.repeat(4_000_000), {
    port: started.port,
    untilClosed: true,
  });
  assert.equal(answers[0]?.status, 413);
  assert.equal(answers[0].body, 'too much');
  await server.idle();
});

test('a renewal minutes later does not meet a connection that has gone stale', async (t) => {
  const server = await startBrokenServer(t, (socket, { head }) => {
    socket.write(whole(bodyFor(head)));
    // Apache's keep-alive, faster: closed without a word once idle.
    setTimeout(() => socket.resetAndDestroy(), 1400);
  });
  const url = `${server.origin}/oauth2/default/token`;
  const started = await startProxy(t, {
    fhir: () => answerPatient,
    route: () => ({ tokenEndpoint: url, audience: url }),
  });
  assert.equal((await started.fetch('/fhir/Patient')).status, 200);
  await server.idle();
  await started.proxy.renewTokens();
  assert.equal(server.heads.length, 2);
});
