/**
 * Memory as a target: aws-sigv4-proxy and its kin hold whole bodies so that they can sign or repeat
 * them (aws-sigv4-proxy#186, vm0#23669); a short answer that unpacks to gigabytes; an answer or a
 * field that never ends. What is held here has a bound, and what has none is streamed.
 */
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders, RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const MIB = 1_048_576;
const BLOCK = Buffer.alloc(65_536, 'x');
/** Buffers of kernel and streams on the way, generously. */
const ON_THE_WAY = 24 * MIB;

/** Writes until the other side takes no more for a while, or `most` bytes are gone; gives their number. */
async function writeUntilStuck(target: Writable, most: number): Promise<number> {
  let written = 0;
  while (written < most && !target.destroyed) {
    written += BLOCK.length;
    if (target.write(BLOCK)) continue;
    const stuck = new Promise<string>((resolve) => setTimeout(() => resolve('stuck'), 700));
    const drained = new Promise<string>((resolve) =>
      target.once('drain', () => resolve('drained')),
    );
    if ((await Promise.race([stuck, drained])) === 'stuck') break;
  }
  return written;
}

for (const [name, framing] of [
  ['of known length', `Content-Length: ${1024 * MIB}`],
  ['in chunks', 'Transfer-Encoding: chunked'],
] as const) {
  test(`a body ${name} that the upstream does not read is not read here either`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => void socket.pause());
    const { port } = await startProxy(t, {
      scopes: ['system/Patient.write'],
      route: ({ tokenEndpoint }) => ({
        upstream: upstream.url,
        tokenEndpoint,
        audience: tokenEndpoint,
      }),
    });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    const head = ['POST /fhir/Patient HTTP/1.1', 'Host: localhost', framing];
    socket.write(rawHead([...head, 'Content-Type: application/fhir+json']));
    // One chunk that goes on for ever.
    if (framing.startsWith('Transfer')) socket.write(`${(1024 * MIB).toString(16)}\r\n`);
    const written = await writeUntilStuck(socket, 200 * MIB);
    assert.ok(written - socket.writableLength < ON_THE_WAY, `${written} bytes were taken`);
  });
}

for (const [name, type, body] of [
  ['a form', 'application/x-www-form-urlencoded', 'a=b&'],
  ['a form of parts', 'multipart/form-data; boundary=x', '--x\r\n'],
  ['a Bundle', 'application/fhir+json', '{"resourceType":"Bundle","entry":['],
] as const) {
  test(`${name} that has to be judged and does not end is refused at its bound, and not kept`, async (t) => {
    const { port, received } = await startProxy(t, {
      route: { access: { readOnly: true, multipart: true } },
    });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    let answered = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answered += chunk));
    socket.on('error', () => {});
    // Not "once" of node:events, which rejects when the refused rest cannot be written.
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const target = name === 'a Bundle' ? '/fhir/' : '/fhir/Patient/_search';
    const lines = [`POST ${target} HTTP/1.1`, 'Host: localhost', `Content-Type: ${type}`];
    socket.write(rawHead([...lines, `Content-Length: ${1024 * MIB}`], body));
    const before = process.memoryUsage().rss;
    // What comes after the refusal is thrown away for a moment, so that the client can read it.
    await writeUntilStuck(socket, 200 * MIB);
    await closed;
    const more = process.memoryUsage().rss - before;
    assert.ok(more < 100 * MIB, `${Math.round(more / MIB)} MiB more`);
    assert.match(answered, /^HTTP\/1\.1 413 /);
    assert.equal(received.length, 0);
  });
}

/** One endless answer with these fields, and how much of it was taken by the proxy when its client does not read. */
function endless(status: number, fields: OutgoingHttpHeaders, told: (bytes: number) => void) {
  return (): RequestListener => (_, response) => {
    response.writeHead(status, fields);
    response.on('error', () => {});
    void writeUntilStuck(response, 200 * MIB).then((written) =>
      told(written - response.writableLength),
    );
  };
}

for (const [name, status, type] of [
  ['an answer', 200, 'application/octet-stream'],
  ['an answer in which links are looked for', 200, 'application/fhir+json'],
  ['an answer that fails', 500, 'application/fhir+json'],
  ['a refusal', 401, 'text/html'],
] as const) {
  test(`${name} without end waits for its reader`, async (t) => {
    let told = (_bytes: number): void => {};
    const taken = new Promise<number>((resolve) => (told = resolve));
    const { port } = await startProxy(t, {
      fhir: endless(status, { 'content-type': type }, (bytes) => told(bytes)),
    });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write(rawHead(['GET /fhir/Patient HTTP/1.1', 'Host: localhost']));
    const bytes = await taken;
    assert.ok(bytes < ON_THE_WAY, `${bytes} bytes were taken`);
  });
}

test('a short answer that unpacks to much waits for its reader as well', async (t) => {
  // 256 MiB in 255 kB.
  const bomb = gzipSync(Buffer.alloc(256 * MIB, ' '));
  assert.ok(bomb.length < MIB);
  const { port } = await startProxy(t, {
    fhir: () => (_, response) => {
      response.writeHead(200, {
        'content-type': 'application/fhir+json',
        'content-encoding': 'gzip',
      });
      response.end(bomb);
    },
  });
  const before = process.memoryUsage().rss;
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  const fields = ['Host: localhost', 'Accept-Encoding: gzip'];
  socket.write(rawHead(['GET /fhir/Patient HTTP/1.1', ...fields]));
  let most = 0;
  for (let look = 0; look < 30; look++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  assert.ok(most < 100 * MIB, `${Math.round(most / MIB)} MiB more`);
});

test('a failing answer that unpacks to much is explained by its beginning', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB, ' '));
  const { port } = await startProxy(t, {
    fhir: () => (_, response) => {
      const fields = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      response.writeHead(500, fields).end(bomb);
    },
  });
  const lines = ['GET /fhir/Patient HTTP/1.1', 'Host: localhost', 'Connection: close'];
  const { received } = await rawRequest(rawHead(lines), { port, untilClosed: true });
  assert.match(received, /^HTTP\/1\.1 500 /);
});

for (const path of [
  '/apis/default/fhir/.well-known/smart-configuration',
  '/oauth2/default/token',
]) {
  test(`${path} without end is cut off`, async (t) => {
    let sent = 0;
    const upstream = await startRawUpstream(t, (socket, head) => {
      if (!head.includes(` ${path} `)) {
        socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a":"');
      void writeUntilStuck(socket, 200 * MIB).then((written) => (sent = written));
    });
    const { fetch } = await startProxy(t, {
      route: path.startsWith('/oauth2')
        ? {
            upstream: upstream.url,
            tokenEndpoint: new URL(path, upstream.url).href,
            audience: 'https://emr.example',
          }
        : { upstream: upstream.url },
    });
    const answer = await fetch('/fhir/Patient');
    assert.equal(answer.status, 503);
    assert.ok(sent < ON_THE_WAY, `${sent} bytes were taken`);
  });
}
