import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

import { issuesOf, startProxy, type StartOptions } from '../support/proxy.ts';

const JSON_TYPE = { 'content-type': 'application/fhir+json' };

/** A proxy whose upstream answers with what `answer` makes of the FHIR base. */
async function startWith(
  t: TestContext,
  answer: (base: string) => {
    status?: number;
    fields?: OutgoingHttpHeaders;
    body: Buffer | string;
  },
  options: StartOptions = {},
) {
  const started = await startProxy(t, {
    ...options,
    fhir: (as) => (_, response) => {
      const { status = 200, fields = {}, body } = answer(as.fhirBase.href);
      response.writeHead(status, { ...JSON_TYPE, ...fields }).end(body);
    },
  });
  return { ...started, proxyBase: `${started.url}/fhir` };
}

/** Asks without decoding anything. */
async function ask(port: number, headers: OutgoingHttpHeaders = {}, method = 'GET') {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/fhir/Patient',
    headers,
    method,
  }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

describe('an answer that arrives whole', () => {
  test('leaves with the length of its rewritten body', async (t) => {
    const { port, proxyBase } = await startWith(t, (base) => ({ body: `{"url":"${base}/A"}` }));
    const { headers, body } = await ask(port);
    assert.equal(body.toString(), `{"url":"${proxyBase}/A"}`);
    assert.equal(headers['content-length'], String(body.length));
    assert.equal(headers['transfer-encoding'], undefined);
  });

  test('keeps length and digest when it holds no link', async (t) => {
    const fields = { 'content-length': 2, 'content-digest': 'sha-256=:abc=:' };
    const { port } = await startWith(t, () => ({ fields, body: '{}' }));
    const { headers, body } = await ask(port);
    assert.equal(body.toString(), '{}');
    assert.equal(headers['content-length'], '2');
    assert.equal(headers['content-digest'], 'sha-256=:abc=:');
  });

  test('loses the digest that its rewritten body no longer has', async (t) => {
    const { port } = await startWith(t, (base) => ({
      fields: { 'content-digest': 'sha-256=:abc=:' },
      body: base,
    }));
    assert.equal((await ask(port)).headers['content-digest'], undefined);
  });

  test('HEAD tells the length that GET would have', async (t) => {
    const { port } = await startWith(t, (base) => ({ body: `"${base}"` }));
    const [got, head] = [await ask(port), await ask(port, {}, 'HEAD')];
    assert.equal(head.headers['content-length'], got.headers['content-length']);
    assert.equal(head.body.length, 0);
  });

  for (const status of [204, 304]) {
    test(`${status} gets no length`, async (t) => {
      const { port } = await startWith(t, () => ({ status, body: '' }));
      const answer = await ask(port);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-length'], undefined);
      assert.equal(answer.headers['transfer-encoding'], undefined);
    });
  }

  test('a part of a body (206) stays as it is', async (t) => {
    const { port, authorization } = await startWith(t, (base) => ({
      status: 206,
      fields: { 'content-range': 'bytes 0-9/100' },
      body: base,
    }));
    assert.equal((await ask(port)).body.toString(), authorization.fhirBase.href);
  });

  test('is recorded when values are shown', async (t) => {
    const { port, exchanges, over } = await startWith(t, () => ({ body: '{"id":"p1"}' }), {
      config: { log: { showValues: true } },
    });
    await ask(port);
    await over(1);
    const bodies = exchanges[0]!.wire!.bodies as unknown as {
      read(): { response: { bytes: Uint8Array } };
    };
    assert.equal(Buffer.from(bodies.read().response.bytes).toString(), '{"id":"p1"}');
  });
});

test('a long answer with links is streamed and rewritten throughout', async (t) => {
  const line = (base: string) => `{"url":"${base}/Patient/1"}\n`;
  const { port, proxyBase } = await startWith(t, (base) => ({ body: line(base).repeat(20_000) }));
  const { headers, body } = await ask(port);
  assert.ok(body.toString() === line(proxyBase).repeat(20_000));
  assert.equal(headers['transfer-encoding'], 'chunked');
});

describe('an encoded answer', () => {
  const codings: [string, string, (body: string) => Buffer][] = [
    ['gzip', 'gzip', gzipSync],
    ['deflate', 'deflate', deflateSync],
    ['deflate without its header', 'deflate', deflateRawSync],
    ['br', 'br', brotliCompressSync],
  ];
  for (const [what, coding, encode] of codings) {
    for (const lines of [1, 20_000]) {
      test(`${what}, ${lines} lines: is decoded, rewritten and sent as it is`, async (t) => {
        // Lines that differ, so that they do not shrink to nothing.
        const text = (base: string) =>
          Array.from({ length: lines }, (_, i) => `{"id":${i * 7919},"url":"${base}/${i}"}`).join();
        const { port, proxyBase } = await startWith(t, (base) => ({
          fields: { 'content-encoding': coding },
          body: encode(text(base)),
        }));
        const { headers, body } = await ask(port, { 'accept-encoding': coding });
        assert.ok(body.toString() === text(proxyBase));
        assert.equal(headers['content-encoding'], undefined);
      });
    }
  }

  test('of a type without links passes byte for byte', async (t) => {
    const body = gzipSync('x'.repeat(10_000));
    const { port } = await startWith(t, () => ({
      fields: { 'content-type': 'application/pdf', 'content-encoding': 'gzip' },
      body,
    }));
    const answer = await ask(port, { 'accept-encoding': 'gzip' });
    assert.deepEqual(answer.body, body);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(answer.headers['content-length'], String(body.length));
  });

  test('passes byte for byte where links are not rewritten', async (t) => {
    const { port, received } = await startWith(
      t,
      (base) => ({ fields: { 'content-encoding': 'gzip' }, body: gzipSync(base) }),
      { route: { rewriteLinks: false } },
    );
    const answer = await ask(port, { 'accept-encoding': 'gzip, compress' });
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(received[0]!.headers['accept-encoding'], 'gzip, compress');
  });

  test('in several codings, or an unknown one, passes byte for byte', async (t) => {
    for (const coding of ['gzip, gzip', 'compress']) {
      const { port } = await startWith(t, (base) => ({
        fields: { 'content-encoding': coding },
        body: base,
      }));
      const answer = await ask(port);
      assert.equal(answer.headers['content-encoding'], coding);
      assert.match(answer.body.toString(), /\/apis\/default\/fhir$/);
    }
  });

  test('with an empty body is left alone', async (t) => {
    const { port } = await startWith(t, () => ({
      fields: { 'content-encoding': 'gzip' },
      body: '',
    }));
    const answer = await ask(port);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.length, 0);
  });

  test('that is broken never ends cleanly', async (t) => {
    const { port, exchanges, over } = await startWith(t, () => ({
      fields: { 'content-encoding': 'gzip' },
      body: Buffer.concat([gzipSync('{}').subarray(0, 12), Buffer.alloc(50, 0xff)]),
    }));
    await assert.rejects(ask(port), { code: 'ECONNRESET' });
    await over(1);
    assert.equal(exchanges[0]!.outcome, 'upstream-died');
    assert.equal(exchanges[0]!.error!.code, 'http_response_content_coding');
    assert.equal(
      exchanges[0]!.error!.message,
      'the upstream\'s answer is not the "gzip" that its "Content-Encoding" says',
    );
  });

  test('that becomes very large is streamed, not held', async (t) => {
    const large = 16 * 1_048_576;
    const body = gzipSync(Buffer.alloc(large, ' '));
    assert.ok(body.length < 65_536);
    const { port } = await startWith(t, () => ({ fields: { 'content-encoding': 'gzip' }, body }));
    const request = httpRequest({ host: '127.0.0.1', port, path: '/fhir/Patient' }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    assert.equal(length, large);
  });

  test('that fails is explained and passed on decoded', async (t) => {
    const text = '{"error":"An error occurred","message":"Unauthorized","code":0}';
    const { port } = await startWith(t, () => ({
      status: 403,
      fields: { 'content-encoding': 'gzip' },
      body: gzipSync(text),
    }));
    const answer = await ask(port);
    assert.equal(answer.status, 403);
    assert.equal(answer.body.toString(), text);
    assert.equal(answer.headers['content-length'], String(text.length));
  });

  test('that fails with an empty body becomes an OperationOutcome without a coding', async (t) => {
    const { port } = await startWith(t, () => ({
      status: 500,
      fields: { 'content-encoding': 'gzip' },
      body: '',
    }));
    const answer = await ask(port);
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(issuesOf(answer.body.toString()).length > 0, true);
  });
});
