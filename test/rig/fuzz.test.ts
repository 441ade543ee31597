/**
 * The fuzz run, short and always the same; long ones are `npm run fuzz`. Its judges are shown what
 * they must find first.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createRandom } from '../support/random.ts';
import type { RequestParts } from './fuzz/corpus.ts';
import { findFaults } from './fuzz/judge.ts';
import { buildInput } from './fuzz/mutate.ts';
import { runFuzz } from './fuzz/run.ts';
import { createLeakWatch } from './program/leak-watch.ts';
import { createRequestReader, type ReceivedRequest } from './program/request-reader.ts';
import type { WorldRoute } from './program/world.ts';

const SEED = 20_261_124;
const BASE = '/apis/default/fhir';
const TOKEN = 'eyJhbGciOiJSUzM4NCJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';

function read(bytes: string, step = bytes.length) {
  const requests: ReceivedRequest[] = [];
  const problems: string[] = [];
  const reader = createRequestReader(
    (request) => requests.push(request),
    (problem) => problems.push(problem),
  );
  for (let at = 0; at < bytes.length; at += step) {
    reader.push(Buffer.from(bytes.slice(at, at + step), 'latin1'));
  }
  return { requests, problems };
}

test('an input that has lost all of its fields can be changed further (seed 2)', () => {
  const bare: RequestParts = {
    method: 'GET',
    target: '/fhir',
    version: 'HTTP/1.1',
    fields: [],
    body: '',
    framing: 'none',
  };
  const random = createRandom(2);
  const seen = new Set<string>();
  for (let count = 0; count < 500; count++) {
    for (const name of buildInput([bare], random, 'stray').operators) seen.add(name);
  }
  assert.ok(seen.has('doubled field'));
});

test('the reader tells requests of one connection apart, however they are cut', () => {
  const bytes =
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc' +
    'POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n' +
    'GET /c HTTP/1.1\r\n\r\n';
  for (const step of [1, 7, bytes.length]) {
    const { requests, problems } = read(bytes, step);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      requests.map(({ method, target, body }) => `${method} ${target} ${body}`),
      ['POST /a abc', 'POST /b def', 'GET /c '],
    );
  }
});

describe('the reader tells of what has two readings', () => {
  const head = 'POST / HTTP/1.1\r\n';
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  for (const [name, bytes] of [
    ['two lengths', `${head}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`],
    ['length and coding', `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['another coding', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['a signed length', `${head}Content-Length: +3\r\n\r\n`],
    ['a space before the colon', `${head}Host : x\r\n\r\n`],
    ['a bare line feed', `${head}X: a\nY: b\r\n\r\n`],
    ['a folded field', `${head}X: a\r\n b\r\n\r\n`],
    ['another version', 'GET / HTTP/1.0\r\n\r\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n\r\n'],
    ['a chunk extension', `${chunked}3;x=y\r\nabc\r\n`],
    ['a chunk that is longer', `${chunked}3\r\nabcd\r\n`],
    ['a trailer', `${chunked}0\r\nX: y\r\n\r\n`],
  ] as const) {
    test(name, () => assert.equal(read(bytes).problems.length, 1));
  }
});

describe('the judge finds', () => {
  const route = (path: WorldRoute['path']): WorldRoute =>
    ({ path, access: {}, relay: { origin: 'http://127.0.0.1:1' } }) as WorldRoute;
  const judge = (line: string, fields: string[] = [], path: WorldRoute['path'] = '/fhir') => {
    const all = ['Host: 127.0.0.1:1', `Authorization: Bearer ${TOKEN}`, ...fields];
    const [request] = read(`${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`).requests;
    assert.ok(request);
    return findFaults(request, route(path), BASE).length > 0;
  };
  test('nothing where nothing is', () => assert.ok(!judge(`GET ${BASE}/Patient?name=x`)));
  for (const [name, line, fields, path] of [
    ['a target outside the base', 'GET /apis/default/api/patient'],
    ['dots', `GET ${BASE}/../api/patient`],
    ['dots encoded twice', `GET ${BASE}/%252e%252e/api/patient`],
    ['the parameter in PHP’s spelling', `GET ${BASE}/Patient?_REWRITE.COMMAND=x`],
    ['the parameter in the path', `GET ${BASE}/Patient%26_REWRITE_COMMAND=x`],
    ['a method that no route has', `TRACE ${BASE}/Patient`],
    ['a write on the read-only route', `PUT ${BASE}/Patient/1`, [], '/read'],
    ['a denied type', `GET ${BASE}/Encounter`, [], '/read'],
    ['a second host', `GET ${BASE}/Patient`, ['Host: evil.example']],
    ['a method override', `POST ${BASE}/Patient`, ['X-HTTP-Method-Override: DELETE']],
    ['credentials of the client', `GET ${BASE}/Patient`, ['Authorization: Basic eDp5']],
    ['a token for an open path', `GET ${BASE}/metadata`],
    ['a field of one hop', `GET ${BASE}/Patient`, ['Upgrade: h2c']],
  ] as const) {
    test(name, () => assert.ok(judge(line, [...(fields ?? [])], path)));
  }
});

test('the watch finds a secret across two chunks, its signature alone, and any JWT', () => {
  for (const [secret, chunks] of [
    ['correct-horse-battery', ['say correct-ho', 'rse-battery now']],
    [TOKEN, ['only c2lnbmF0dXJl of it']],
    ['another-secret', [`{"a":"${TOKEN}"}`]],
  ] as const) {
    const watch = createLeakWatch();
    watch.addSecret(secret);
    const saw = watch.open('here');
    saw(Buffer.from('nothing yet'));
    assert.equal(watch.leaks.length, 0);
    for (const chunk of chunks) saw(Buffer.from(chunk));
    assert.ok(watch.leaks.length > 0, secret);
    assert.ok(watch.leaks.every(({ around }) => !around.includes(secret)));
  }
});

test(`no bytes make the built program fail, leak or send what it must not (seed ${SEED})`, async () => {
  const { failures, inputs, reached, refusals } = await runFuzz({ seed: SEED, inputs: 512 });
  assert.deepEqual(failures, []);
  assert.equal(inputs, 512);
  assert.ok(reached > 50, `${reached} reached the upstream`);
  assert.ok(refusals.size > 6, [...refusals.keys()].join(', '));
});
