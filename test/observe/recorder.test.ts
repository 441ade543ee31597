import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import type { Exchange } from '../../src/base/contracts.ts';
import { createBodyStore, decodeBody, KEPT_BODY_BYTES } from '../../src/observe/bodies.ts';
import { createRecorder, type RecorderChange } from '../../src/observe/recorder.ts';
import { createTraffic, POINT_MS, POINTS } from '../../src/observe/traffic.ts';
import { createUsedScopes } from '../../src/observe/used-scopes.ts';
import { buildExchange, buildExchangeOf } from '../support/exchange.ts';

suite('recorder', () => {
  const ids = (exchanges: readonly Exchange[]) => exchanges.map(({ id }) => id);

  test('keeps the newest exchanges in order of arrival', () => {
    const recorder = createRecorder({ capacity: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) recorder.started(buildExchange({ id }));
    assert.deepEqual(ids(recorder.list()), ['c', 'd', 'e']);
    assert.equal(recorder.find('a'), undefined);
    assert.equal(recorder.find('d')?.id, 'd');
  });

  test('forgets what it kept when told to', () => {
    const recorder = createRecorder({ capacity: 2 });
    for (const id of ['a', 'b', 'c']) recorder.started(buildExchange({ id }));
    recorder.clear();
    assert.deepEqual(recorder.list(), []);
    recorder.started(buildExchange({ id: 'd' }));
    assert.deepEqual(ids(recorder.list()), ['d']);
  });

  test('tells subscribers about many exchanges at once, each of them once', async () => {
    const recorder = createRecorder({ notifyEveryMs: 1 });
    const heard = new Promise<RecorderChange>((resolve) => recorder.subscribe(resolve));
    const [first, second] = [buildExchange({ id: 'a' }), buildExchange({ id: 'b' })];
    recorder.started(first);
    recorder.started(second);
    recorder.finished(second);
    recorder.finished(first);
    const { exchanges, cleared } = await heard;
    assert.deepEqual(ids(exchanges), ['a', 'b']);
    assert.equal(cleared, false);
  });

  test('says when everything was forgotten, and tells nothing of before', async () => {
    const recorder = createRecorder({ notifyEveryMs: 1 });
    const heard = new Promise<RecorderChange>((resolve) => recorder.subscribe(resolve));
    recorder.started(buildExchange({ id: 'a' }));
    recorder.clear();
    recorder.started(buildExchange({ id: 'b' }));
    const { exchanges, cleared } = await heard;
    assert.deepEqual(ids(exchanges), ['b']);
    assert.equal(cleared, true);
  });

  test('a subscriber that has left hears nothing more', async () => {
    const recorder = createRecorder({ notifyEveryMs: 1 });
    const heard: string[] = [];
    const leave = recorder.subscribe(() => heard.push('first'));
    recorder.started(buildExchange());
    leave();
    const { promise, resolve } = withResolvers<void>();
    recorder.subscribe(() => resolve());
    recorder.started(buildExchange());
    await promise;
    assert.deepEqual(heard, []);
  });

  test('a flood does not grow what waits for subscribers beyond the capacity', async () => {
    const recorder = createRecorder({ capacity: 10, notifyEveryMs: 1 });
    const heard = new Promise<RecorderChange>((resolve) => recorder.subscribe(resolve));
    for (let index = 0; index < 1000; index += 1) {
      recorder.started(buildExchange({ id: `x${index}` }));
    }
    const { exchanges } = await heard;
    assert.deepEqual(ids(exchanges), ids(recorder.list()));
  });

  suite('fields', () => {
    /** Records as many exchanges within a second; returns the last. */
    function flood(count: number, changes: Partial<Exchange> = {}, watched = false) {
      const recorder = createRecorder();
      if (watched) recorder.subscribe(() => undefined);
      let last = buildExchange();
      for (let index = 0; index < count; index += 1) {
        last = buildExchange({
          wire: recorder.openWire('/fhir/Patient', ['Accept', '*/*']),
          ...changes,
        });
        recorder.started(last);
        recorder.finished(last);
      }
      return last.wire?.received;
    }

    test('are kept at the pace of people', () => assert.deepEqual(flood(50), ['Accept', '*/*']));
    test('of a success are dropped in a flood', () => assert.equal(flood(51), undefined));
    test('of a failure are kept in a flood', () =>
      assert.notEqual(flood(51, { status: 500 }), undefined));
    test('of an answer that broke off are kept in a flood', () =>
      assert.notEqual(flood(51, { outcome: 'upstream-died' }), undefined));
    test('are kept in a flood while somebody looks', () =>
      assert.notEqual(flood(51, {}, true), undefined));
  });

  suite('a flood that nobody watches', () => {
    /** Records as many exchanges within each of some seconds; gives those that are listed. */
    function flood(perSecond: number, changes: Partial<Exchange> = {}, seconds = 1) {
      const recorder = createRecorder({ capacity: 1000 });
      for (let index = 0; index < perSecond * seconds; index += 1) {
        const exchange = buildExchange({
          startedAtMs: 1_700_000_000_000 + Math.floor(index / perSecond) * 1000,
          wire: recorder.openWire('/fhir/Patient', []),
          ...changes,
        });
        recorder.started(exchange);
        recorder.finished(exchange);
      }
      return recorder.list().length;
    }

    test('is listed up to 200 exchanges a second', () => {
      assert.equal(flood(200), 200);
      assert.equal(flood(300), 200);
      assert.equal(flood(300, {}, 3), 600);
    });
    test('is listed whole where it fails', () => {
      assert.equal(flood(300, { status: 404 }), 300);
      assert.equal(flood(300, { outcome: 'upstream-died' }), 300);
    });
  });

  test('takes bodies only when values are shown', () => {
    assert.equal(createRecorder().openWire('/x', []).bodies, undefined);
    assert.notEqual(createRecorder({ showValues: true }).openWire('/x', []).bodies, undefined);
  });
});

suite('traffic', () => {
  const now = 1_700_000_005_000;

  test('has a point for every ten seconds of the last 15 minutes', () => {
    const points = createTraffic(() => now).points();
    assert.equal(points.length, POINTS);
    assert.equal(points.length * POINT_MS, 15 * 60_000);
    const last = points.at(-1);
    assert.ok(last !== undefined && last.atMs <= now && now < last.atMs + POINT_MS);
    assert.deepEqual(last, { atMs: last.atMs, requests: 0, clientErrors: 0, serverErrors: 0 });
  });

  test('counts requests and errors where they ended', () => {
    const traffic = createTraffic(() => now);
    const at = (secondsAgo: number, changes: Partial<Exchange> = {}) =>
      traffic.add(buildExchange({ startedAtMs: now - secondsAgo * 1000, ...changes }));
    at(0.1);
    at(0.1, { status: 404 });
    at(0.1, { status: 503 });
    at(0.1, { status: 200, outcome: 'upstream-died' });
    at(60);
    at(3599);
    const points = traffic.points();
    const last = points.at(-1);
    assert.equal(last?.requests, 4);
    assert.equal(last?.clientErrors, 1);
    assert.equal(last?.serverErrors, 2);
    assert.equal(points.at(-7)?.requests, 1);
    assert.equal(
      points.reduce((sum, { requests }) => sum + requests, 0),
      5,
    );
    assert.deepEqual(traffic.totals, { requests: 6, clientErrors: 1, serverErrors: 2 });
  });

  test('a point is used again after 15 minutes', () => {
    let clock = now;
    const traffic = createTraffic(() => clock);
    traffic.add(buildExchange({ startedAtMs: now }));
    clock += POINTS * POINT_MS;
    traffic.add(buildExchange({ startedAtMs: clock }));
    assert.equal(
      traffic.points().reduce((sum, { requests }) => sum + requests, 0),
      1,
    );
  });

  test('tells the median and the 95th percentile within a tenth', () => {
    const traffic = createTraffic(() => now);
    for (let ms = 1; ms <= 1000; ms += 1) {
      traffic.add(buildExchange({ startedAtMs: now - ms, timings: { totalMs: ms } }));
    }
    const last = traffic.points().at(-1);
    assert.ok(Math.abs((last?.p50Ms ?? 0) / 500 - 1) < 0.1, `${last?.p50Ms}`);
    assert.ok(Math.abs((last?.p95Ms ?? 0) / 950 - 1) < 0.1, `${last?.p95Ms}`);
  });
});

suite('used scopes', () => {
  function use(granted: string[], ...exchanges: Exchange[]) {
    const scopes = createUsedScopes();
    for (const exchange of exchanges) scopes.add(exchange);
    return scopes.of('/fhir', granted);
  }

  test('gives the smallest list in both spellings', () => {
    const { v1, v2 } = use(
      [],
      buildExchangeOf('GET', '/Patient?name=x'),
      buildExchangeOf('GET', '/Patient/1'),
      buildExchangeOf('GET', '/Patient/2'),
      buildExchangeOf('PUT', '/Patient/2'),
      buildExchangeOf('GET', '/Observation/2'),
      buildExchangeOf('GET', '/$export'),
      buildExchangeOf('GET', '/metadata'),
    );
    assert.deepEqual(v1, [
      'system/*.$export',
      'system/Observation.read',
      'system/Patient.read',
      'system/Patient.write',
    ]);
    assert.deepEqual(v2, ['system/*.$export', 'system/Observation.r', 'system/Patient.rus']);
  });

  test('tells what is used and not granted, and what is granted and not used', () => {
    const { notGranted, unused } = use(
      ['system/Patient.read', 'system/Group.read', 'openid'],
      buildExchangeOf('GET', '/Patient/1'),
      buildExchangeOf('GET', '/Observation', { status: 401 }),
    );
    assert.deepEqual(notGranted, ['search Observation']);
    assert.deepEqual(unused, ['system/Group.read']);
  });

  test('does not count what never reached the resource', () => {
    const { v1 } = use(
      [],
      buildExchangeOf('GET', '/Nonsense', { status: 404 }),
      buildExchangeOf('GET', '/Patient', { status: 503, outcome: 'failed' }),
      buildExchangeOf('GET', '/Patient', { route: '/other' }),
    );
    assert.deepEqual(v1, []);
  });

  test('stays bounded whatever is asked for', () => {
    const scopes = createUsedScopes();
    for (let index = 0; index < 2000; index += 1) {
      const name = String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
      scopes.add(buildExchangeOf('GET', `/A${name}`));
    }
    assert.equal(scopes.of('/fhir', []).v1.length, 500);
  });
});

suite('bodies', () => {
  test('the first 64 KiB are kept, as a copy', () => {
    const store = createBodyStore();
    const chunk = Buffer.alloc(40_000, 'a');
    store.response(chunk);
    chunk.fill('b');
    store.response(chunk);
    store.response(chunk);
    const { request, response } = store.read();
    assert.equal(request.bytes.length, 0);
    assert.equal(request.cut, false);
    assert.equal(response.bytes.length, KEPT_BODY_BYTES);
    assert.equal(response.cut, true);
    assert.equal(Buffer.from(response.bytes).toString('latin1', 39_999, 40_001), 'ab');
  });

  const text = JSON.stringify({ resourceType: 'Bundle', text: 'ü'.repeat(500) });
  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  for (const [name, compress] of Object.entries(codings)) {
    test(`the content coding "${name}" is undone, also when the body was cut`, () => {
      const bytes = compress(Buffer.from(text));
      assert.equal(decodeBody({ bytes, cut: false }, name), text);
      const cut = decodeBody({ bytes: bytes.subarray(0, bytes.length - 4), cut: true }, name);
      assert.ok(cut !== undefined && text.startsWith(cut.slice(0, 20)));
    });
  }

  test('what cannot be decoded, and what grows too large, is not shown', () => {
    assert.equal(decodeBody({ bytes: Buffer.from('x'), cut: false }, 'zstd'), undefined);
    assert.equal(decodeBody({ bytes: Buffer.from('not gzip'), cut: false }, 'gzip'), undefined);
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    assert.equal(decodeBody({ bytes: bomb, cut: false }, 'gzip'), undefined);
  });
});

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
