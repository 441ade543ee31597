/**
 * The proxy's own paths show what callers and upstreams sent: odd text there must cost one response at
 * most, never the process (the class of CVE-2022-24999).
 */
import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';

import { startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const TARGETS = [
  'http://evil.example:x/fhir',
  '*',
  'evil:99999999',
  '//[',
  '/fhir/Patient?%',
  '@:::',
  'http://a:999999/',
  '/fhir/\u00e9?x=\u00ff',
  '/fhir/Patient?\u2028',
];

async function expectAlive(url: string): Promise<void> {
  for (const path of ['', '/', '.har', '/1', '/1/report', '?limit=0', '?limit=x&before=%00']) {
    const response = await fetch(`${url}/_proxy/exchanges${path}`);
    await response.text();
    assert.ok(response.status < 500, `${path}: ${response.status}`);
  }
  assert.equal((await fetch(`${url}/_proxy/status`)).status, 200);
}

describe('odd requests', () => {
  for (const showValues of [false, true]) {
    it(`are kept and shown without harm, ${showValues ? 'with' : 'without'} values`, async (t) => {
      const { url, port } = await startProxy(t, { config: { log: { showValues } } });
      for (const target of TARGETS) {
        await rawRequest(
          rawHead([`GET ${target} HTTP/1.1`, 'Host: localhost', 'X-A: \u00e9\u0080']),
          { port },
        );
        await expectAlive(url);
      }
      const kept = (await (await fetch(`${url}/_proxy/exchanges`)).json()) as { id: string }[];
      assert.ok(kept.length > 0);
      for (const { id } of kept) {
        const again = await fetch(`${url}/_proxy/exchanges/${id}/send-again`, { method: 'POST' });
        await again.text();
        assert.ok([200, 409].includes(again.status), String(again.status));
      }
      await expectAlive(url);
    });
  }
});

/** An upstream whose responses have these lines in their head. */
async function startWith(t: TestContext, lines: string) {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${lines}\r\n{}`);
  });
  return startProxy(t, {
    route: ({ tokenEndpoint }) => ({
      upstream: upstream.url,
      tokenEndpoint,
      audience: tokenEndpoint,
    }),
  });
}

describe('a response with very many fields', () => {
  it('is refused with its hint, and the list stays short', async (t) => {
    const { url, fetch } = await startWith(t, 'a:b\r\n'.repeat(8_000));
    const response = await fetch('/fhir/Patient');
    assert.equal(response.status, 502);
    assert.match(response.headers.get('link') ?? '', /answer-head-too-long/);
    await expectAlive(url);
  });

  it('that fits is kept in part only', async (t) => {
    const { url, port } = await startWith(t, `X-Long: ${'v'.repeat(200)}\r\n`.repeat(200));
    // Not "fetch", which takes no head of that length.
    const { answers } = await rawRequest(
      rawHead(['GET /fhir/Patient HTTP/1.1', 'Host: localhost', 'Connection: close']),
      { port },
    );
    assert.equal(answers[0]?.status, 200);
    const list = await (await globalThis.fetch(`${url}/_proxy/exchanges`)).text();
    assert.ok(list.length < 100_000, String(list.length));
  });
});

describe('the list of exchanges', () => {
  it('comes in pages, the newest first', async (t) => {
    const { url, fetch } = await startProxy(t);
    for (let i = 0; i < 5; i++) await fetch('/fhir/Patient');
    const ids: string[] = [];
    let next: string | undefined = '/_proxy/exchanges?limit=2';
    for (let pages = 0; next !== undefined; pages++) {
      assert.ok(pages < 4);
      const response = await globalThis.fetch(url + next);
      const page = (await response.json()) as { id: string }[];
      assert.ok(page.length <= 2);
      ids.unshift(...page.map(({ id }) => id));
      next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    }
    const all = (await (await globalThis.fetch(`${url}/_proxy/exchanges`)).json()) as {
      id: string;
    }[];
    assert.deepEqual(
      ids,
      all.map(({ id }) => id),
    );
    assert.equal(ids.length, 5);
  });
});

describe('interim responses without end', () => {
  it('do not hold a request past "timeouts.headMs"', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    const { fetch } = await startProxy(t, {
      route: ({ tokenEndpoint }) => ({
        upstream: upstream.url,
        tokenEndpoint,
        audience: tokenEndpoint,
        timeouts: { headMs: 1_000 },
      }),
    });
    assert.equal((await fetch('/fhir/Patient')).status, 504);
  });
});
