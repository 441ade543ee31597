/** Failures of the connection, caused for real: the codes that Node and undici give must be known. */
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';

import { Agent, request } from 'undici';

import { explain } from '../../src/hints/match.ts';
import { createCertificate, type Subject } from '../support/certificates.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks, and gives the code with which that fails. */
async function failingCode(
  t: TestContext,
  url: string,
  options: Agent.Options = {},
): Promise<string> {
  const dispatcher = new Agent(options);
  t.after(() => dispatcher.destroy());
  const error = await request(url, { dispatcher }).then(
    async ({ body }) => {
      await body.dump();
      return assert.fail('an answer came');
    },
    (failure: NodeJS.ErrnoException) => failure,
  );
  return error.code ?? error.name;
}

async function tlsPort(t: TestContext, subject: Subject): Promise<{ port: number; cert: string }> {
  const { cert, key } = await createCertificate(subject);
  const server = createHttpsServer({ cert, key }, (_request, response) => response.end('{}'));
  return { port: await listen(t, server), cert };
}

function assertExplained(nodeCode: string, id: string): void {
  const [hint] = explain({ stage: 'token', logEntries: [], nodeCode });
  assert.equal(hint?.id, id, `code ${nodeCode}`);
  assert.equal(hint?.certainty, 'certain');
}

test('a port where nothing listens', async (t) => {
  const server = createServer();
  const port = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  assertExplained(await failingCode(t, `http://127.0.0.1:${port}/`), 'connection-refused');
});

test('a name that does not exist', async (t) => {
  assertExplained(await failingCode(t, 'http://nowhere.invalid/'), 'dns-failed');
});

test('a self-signed certificate', async (t) => {
  const { port } = await tlsPort(t, {});
  assertExplained(await failingCode(t, `https://127.0.0.1:${port}/`), 'upstream-tls');
});

test('an expired certificate', async (t) => {
  const { port, cert } = await tlsPort(t, { notAfterMs: Date.now() - 60_000 });
  const code = await failingCode(t, `https://127.0.0.1:${port}/`, { connect: { ca: cert } });
  assertExplained(code, 'tls-expired');
});

test('a certificate for another name', async (t) => {
  const { port, cert } = await tlsPort(t, { hosts: ['other.example'], addresses: [] });
  const code = await failingCode(t, `https://127.0.0.1:${port}/`, { connect: { ca: cert } });
  assertExplained(code, 'tls-wrong-name');
});

test('TLS to a port for plain HTTP', async (t) => {
  const port = await listen(
    t,
    createHttpServer((_request, response) => response.end('{}')),
  );
  assertExplained(await failingCode(t, `https://127.0.0.1:${port}/`), 'tls-on-http-port');
});

test('plain HTTP to a TLS port', async (t) => {
  const { port } = await tlsPort(t, {});
  const code = await failingCode(t, `http://127.0.0.1:${port}/`);
  const [hint] = explain({ stage: 'fhir', logEntries: [], nodeCode: code });
  assert.ok(hint?.id === 'not-http' || hint?.id === 'connection-reset', `${code}: ${hint?.id}`);
  assert.match(`${hint.cause} ${hint.fix}`, /https/);
});

test('a service that does not speak HTTP', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
  );
  assertExplained(await failingCode(t, `http://127.0.0.1:${port}/`), 'not-http');
});

test('a connection that is closed without an answer', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.once('data', () => socket.destroy())),
  );
  assertExplained(await failingCode(t, `http://127.0.0.1:${port}/`), 'connection-reset');
});

test('a server that takes the request and never answers', async (t) => {
  const port = await listen(
    t,
    createHttpServer(() => {}),
  );
  const code = await failingCode(t, `http://127.0.0.1:${port}/`, { headersTimeout: 50 });
  assertExplained(code, 'answer-timeout');
});
