/**
 * Requests and answers that ended the process of other proxies on Node: GHSA-6x33-pw7p-hmpq (Expect
 * with a body), http-proxy issue 1647 (Trailer), and reason phrases that Node does not write.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const LOCAL = 'Host: localhost';
const POST = ['POST /fhir/Patient HTTP/1.1', LOCAL, 'Content-Type: application/fhir+json'];

const REQUESTS: readonly (readonly [name: string, bytes: string, sent: string])[] = [
  [
    'Expect with a body',
    rawHead([...POST, 'Expect: 100-continue', 'Content-Length: 2'], '{}'),
    '{}',
  ],
  ['an unknown Expect', rawHead([...POST, 'Expect: 200-ok', 'Content-Length: 2'], '{}'), '{}'],
  ['Trailer without chunks', rawHead([...POST, 'Trailer: X', 'Content-Length: 2'], '{}'), '{}'],
  [
    'Trailer that names framing',
    rawHead(
      [...POST, 'Trailer: Content-Length, Transfer-Encoding', 'Transfer-Encoding: chunked'],
      '2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n',
    ),
    '{}',
  ],
  ['TE: trailers', rawHead([...POST, 'TE: trailers', 'Content-Length: 2'], '{}'), '{}'],
];

for (const [name, bytes, sent] of REQUESTS) {
  test(`${name}: the proxy lives, and what crosses is the body alone`, async (t) => {
    const { port, received, fetch } = await startProxy(t);
    const { answers } = await rawRequest(bytes, { port });
    assert.ok(answers[0] !== undefined);
    assert.equal((await fetch('/fhir/Patient/1')).status, 200);
    assert.equal(received.length, answers[0].status === 200 ? 2 : 1);
    for (const { method, headers, body } of received) {
      const { expect, trailer, te } = headers;
      assert.deepEqual([expect, trailer, te], [undefined, undefined, undefined]);
      if (method === 'POST') assert.equal(body, sent);
    }
  });
}

const PHRASES = ['\u0001', 'OK\u007f', '\u0000', 'caf\u00e9', ''];
const HEADS = ['X: \u0001', 'X y: z', 'Content-Length: -1'];

for (const [what, head] of [
  ...PHRASES.map((phrase) => ['reason phrase', `HTTP/1.1 200 ${phrase}\r\nContent-Length: 2`]),
  ...HEADS.map((field) => ['field', `HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 2`]),
]) {
  test(`an answer with the ${what} of ${JSON.stringify(head)} is passed on or refused, never fatal`, async (t) => {
    let answers = 0;
    const upstream = await startRawUpstream(t, (socket) => {
      answers += 1;
      socket.write(
        answers === 1 ? `${head}\r\n\r\n{}` : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
        'latin1',
      );
    });
    const { fetch } = await startProxy(t, {
      route: ({ tokenEndpoint }) => ({ upstream: upstream.url, tokenEndpoint }),
    });
    const { status } = await fetch('/fhir/Patient/1');
    assert.ok([200, 502].includes(status), String(status));
    assert.equal((await fetch('/fhir/Patient/2')).status, 200);
  });
}
