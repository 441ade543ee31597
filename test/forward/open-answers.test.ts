import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { describe, test, type TestContext } from 'node:test';

import { startProxy } from '../support/proxy.ts';

interface CannedAnswer {
  status?: number;
  fields?: OutgoingHttpHeaders;
  body?: string;
}

/** A proxy with the defaults, which reuses open answers for a minute, by a clock that the test moves. */
async function startReusing(
  t: TestContext,
  answer: CannedAnswer | ((url: string, count: number, base: string) => CannedAnswer) = {},
) {
  let offsetMs = 0;
  let count = 0;
  const started = await startProxy(t, {
    clock: { now: () => Date.now() + offsetMs },
    fhir: (as) => (request, response) => {
      count += 1;
      const canned =
        typeof answer === 'function' ? answer(request.url!, count, as.fhirBase.href) : answer;
      const {
        status = 200,
        fields = {},
        body = `{"n":${count},"url":"${as.fhirBase.href}"}`,
      } = canned;
      response.writeHead(status, { 'content-type': 'application/fhir+json', ...fields }).end(body);
    },
  });
  return { ...started, move: (ms: number) => (offsetMs += ms) };
}

const NO_STORE = 'no-store, no-cache, must-revalidate';
const SYMFONY = 'max-age=0, private, must-revalidate, no-cache, private';

describe('an open answer', () => {
  for (const path of ['/metadata', '/.well-known/openid-configuration', '/metadata?mode=full']) {
    test(`${path} is asked for once a minute`, async (t) => {
      const { fetch, received, url, move } = await startReusing(t);
      const first = await fetch(`/fhir${path}`);
      assert.equal(first.headers.get('age'), null);
      move(20_000);
      const second = await fetch(`/fhir${path}`);
      assert.equal(await second.text(), `{"n":1,"url":"${url}/fhir"}`);
      assert.equal(second.headers.get('cache-status'), 'fhir-auth-proxy; hit');
      assert.ok(['20', '21'].includes(second.headers.get('age')!), second.headers.get('age')!);
      assert.equal(received.length, 1);
      move(41_000);
      assert.match(await (await fetch(`/fhir${path}`)).text(), /"n":2/);
    });
  }

  test('is rewritten for the name by which each client calls the proxy', async (t) => {
    const { fetch, port, received } = await startReusing(t);
    assert.match(await (await fetch('/fhir/metadata')).text(), /http:\/\/127\.0\.0\.1:/);
    const other = await globalThis.fetch(`http://localhost:${port}/fhir/metadata`);
    assert.match(await other.text(), new RegExp(`"http://localhost:${port}/fhir"`));
    assert.equal(received.length, 1);
  });

  test('stays as it came, however often a long one is rewritten', async (t) => {
    const { fetch, port, received } = await startReusing(t, (_url, _count, base) => ({
      body: JSON.stringify({ url: base, text: 'x'.repeat(100_000), end: base }),
    }));
    for (const name of ['127.0.0.1', 'localhost', '127.0.0.1']) {
      const answer = await globalThis.fetch(`http://${name}:${port}/fhir/metadata`);
      const { url, end } = (await answer.json()) as { url: string; end: string };
      assert.deepEqual([url, end], Array(2).fill(`http://${name}:${port}/fhir`));
    }
    assert.ok((await fetch('/fhir/metadata')).headers.has('age'));
    assert.equal(received.length, 1);
  });

  test('is fetched once for all who ask at the same time', async (t) => {
    const { fetch, received } = await startReusing(t);
    const bodies = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch('/fhir/metadata')).text()),
    );
    assert.equal(new Set(bodies).size, 1);
    assert.equal(received.length, 1);
  });

  test('serves HEAD too', async (t) => {
    const { fetch, received } = await startReusing(t);
    await fetch('/fhir/metadata');
    const head = await fetch('/fhir/metadata', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    assert.equal(received.length, 1);
  });

  test('is another one for another Accept', async (t) => {
    const { fetch, received } = await startReusing(t);
    await fetch('/fhir/metadata', { headers: { accept: 'application/fhir+json' } });
    await fetch('/fhir/metadata', { headers: { accept: 'application/fhir+xml' } });
    assert.equal(received.length, 2);
  });

  const requests: [string, string, RequestInit][] = [
    ['Cache-Control: no-cache', '/fhir/metadata', { headers: { 'cache-control': 'no-cache' } }],
    ['Pragma: no-cache', '/fhir/metadata', { headers: { pragma: 'no-cache' } }],
    ['a condition', '/fhir/metadata', { headers: { 'if-none-match': '"x"' } }],
    ['the parameter "refresh"', '/fhir/metadata?refresh', {}],
  ];
  for (const [what, path, init] of requests) {
    test(`is asked for anew by a request with ${what}, and the old one is forgotten`, async (t) => {
      const { fetch, received } = await startReusing(t);
      await fetch('/fhir/metadata');
      assert.match(await (await fetch(path, init)).text(), /"n":2/);
      assert.match(await (await fetch('/fhir/metadata')).text(), /"n":3/);
      assert.equal(received.length, 3);
    });
  }

  const lifetimes: [what: string, fields: OutgoingHttpHeaders, aliveMs: number][] = [
    ['what PHP sends with every answer', { 'cache-control': NO_STORE }, 59_000],
    ['what Symfony sends with every answer', { 'cache-control': SYMFONY }, 59_000],
    ['a longer max-age', { 'cache-control': 'max-age=3600' }, 59_000],
    ['a shorter max-age', { 'cache-control': 'public, max-age=10' }, 9_000],
    ['s-maxage before max-age', { 'cache-control': 'max-age=50, s-maxage=5' }, 4_000],
    ['harmless Vary', { vary: 'Accept, Origin' }, 59_000],
  ];
  for (const [what, fields, aliveMs] of lifetimes) {
    test(`lives as long as it may: ${what}`, async (t) => {
      const { fetch, received, move } = await startReusing(t, { fields });
      await fetch('/fhir/metadata');
      move(aliveMs);
      await fetch('/fhir/metadata');
      assert.equal(received.length, 1);
      move(2_000);
      await fetch('/fhir/metadata');
      assert.equal(received.length, 2);
    });
  }

  const never: [what: string, answer: CannedAnswer][] = [
    ['no-store', { fields: { 'cache-control': 'no-store' } }],
    ['private', { fields: { 'cache-control': 'private, max-age=60' } }],
    ['no-cache', { fields: { 'cache-control': 'no-cache' } }],
    ['max-age=0', { fields: { 'cache-control': 'max-age=0' } }],
    ['Vary: *', { fields: { vary: '*' } }],
    ['Vary: User-Agent', { fields: { vary: 'Accept, User-Agent' } }],
    ['a failure', { status: 501, body: '' }],
    ['a redirect', { status: 302, fields: { location: '/x' }, body: '' }],
    ['more than 1 MiB', { body: `"${'x'.repeat(1_048_576)}"` }],
  ];
  for (const [what, answer] of never) {
    test(`is never reused: ${what}`, async (t) => {
      const { fetch, received } = await startReusing(t, answer);
      const first = await fetch('/fhir/metadata');
      const before = received.length;
      const second = await fetch('/fhir/metadata');
      assert.equal(first.status, answer.status ?? 200);
      assert.equal(second.status, first.status);
      assert.equal(second.headers.get('age'), null);
      assert.ok(received.length > before);
    });
  }

  test('that cannot be had fails for all who wait, and is tried again by the next', async (t) => {
    let broken = true;
    const { fetch } = await startProxy(t, {
      route: { metadataCacheMs: 60_000 },
      fhir: () => (request, response) =>
        void (broken
          ? request.socket.destroy()
          : response.writeHead(200, { 'content-type': 'application/json' }).end('{}')),
    });
    const answers = await Promise.all([fetch('/fhir/metadata'), fetch('/fhir/metadata')]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [502, 502],
    );
    broken = false;
    assert.equal((await fetch('/fhir/metadata')).status, 200);
  });
});

test('health data is never reused', async (t) => {
  const { fetch, received } = await startReusing(t, { fields: { 'cache-control': 'max-age=60' } });
  await fetch('/fhir/Patient/1');
  await fetch('/fhir/Patient/1');
  assert.equal(received.length, 2);
});

test('nothing is reused with "metadataCacheMs" 0', async (t) => {
  const { fetch, received } = await startProxy(t, {
    route: { metadataCacheMs: 0 },
    fhir: () => (_, response) =>
      void response.writeHead(200, { 'cache-control': 'max-age=60' }).end('{}'),
  });
  await fetch('/fhir/metadata');
  await fetch('/fhir/metadata');
  assert.equal(received.length, 2);
});
