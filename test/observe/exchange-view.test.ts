import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import type { Exchange } from '../../src/base/contracts.ts';
import { ProxyError } from '../../src/base/errors.ts';
import { createBodyStore } from '../../src/observe/bodies.ts';
import { buildCurl } from '../../src/observe/curl.ts';
import { describeExchange, summarise } from '../../src/observe/exchange-view.ts';
import { compareFields, showFieldValue } from '../../src/observe/field-view.ts';
import { buildHar } from '../../src/observe/har.ts';
import { showTarget } from '../../src/observe/shown-target.ts';
import { buildExchangeOf } from '../support/exchange.ts';
import { assertHar } from '../support/har.ts';
import { createSecretWatch } from '../support/secrets.ts';

const JWT = 'eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJjbGllbnQifQ.c2lnbmF0dXJl';
const BASE = 'http://localhost:8088';
const hidden = { showValues: false, baseUrl: BASE };
const shown = { showValues: true, baseUrl: BASE };

/** A raw field list. */
function raw(fields: Record<string, string>): string[] {
  return Object.entries(fields).flat();
}

/** An exchange with a mark in every place where a client or a server can put a value. */
function buildMarked(): Exchange {
  const bodies = createBodyStore();
  bodies.request(Buffer.from('{"resourceType":"Patient","id":"zqmark-reqbody"}'));
  bodies.response(Buffer.from('{"resourceType":"Patient","id":"zqmark-resbody"}'));
  return buildExchangeOf('PUT', '/Patient/zqmark-id?name=zqmark-value&_format=json', {
    requestBytes: 48,
    error: new ProxyError('boom', `it broke with ${JWT}`),
    hints: [
      {
        id: 'client-disabled',
        certainty: 'certain',
        title: 'the client is disabled',
        cause: 'why',
        fix: 'what to do',
        evidence: `log line with ${JWT}`,
      },
    ],
    wire: {
      target: '/fhir/Patient/zqmark-id?name=zqmark-value&_format=json',
      bodies,
      received: raw({
        Host: 'localhost:8088',
        Authorization: 'Bearer zqmark-client-token',
        Cookie: 'a=zqmark-cookie',
        'X-Custom': 'zqmark-custom',
        Referer: 'http://localhost/?x=zqmark-referer',
        'Content-Type': 'application/fhir+json',
        Accept: 'application/fhir+json',
      }),
      sent: raw({
        host: 'emr.example',
        'X-Custom': 'zqmark-custom',
        'Content-Type': 'application/fhir+json',
        Accept: 'application/fhir+json',
        Authorization: `Bearer ${JWT}`,
      }),
      withheld: ['Set-Cookie', 'Strict-Transport-Security'],
      returned: raw({
        'Content-Type': 'application/json',
        Location: `${BASE}/fhir/Patient/zqmark-location`,
        ETag: 'W/"zqmark-etag"',
      }),
    },
  });
}

suite('by default', () => {
  const detail = describeExchange(buildMarked(), hidden);
  const har = buildHar([buildMarked()], { ...hidden, version: '1.0.0' });

  test('no id, value, body or credential is told anywhere', () => {
    const watch = createSecretWatch();
    watch.addSecret('zqmark-', JWT);
    watch.addBody(JSON.stringify(summarise(buildMarked(), false)));
    watch.addBody(JSON.stringify(detail));
    watch.addBody(JSON.stringify(har));
    watch.assertNone();
  });

  test('the target has REDACTED in place of ids and values', () => {
    assert.equal(detail.target, '/fhir/Patient/REDACTED?name=REDACTED&_format=REDACTED');
  });

  test('the fields tell what the proxy removed and added', () => {
    const { received, sent } = detail.requestFields;
    assert.deepEqual(received.slice(0, 4), [
      { name: 'Host', value: 'localhost:8088', change: 'changed' },
      { name: 'Authorization', value: 'Bearer …', change: 'changed' },
      { name: 'Cookie', value: '…', change: 'removed' },
      { name: 'X-Custom', value: '…' },
    ]);
    assert.deepEqual(sent.at(-1), { name: 'Authorization', value: 'Bearer …', change: 'changed' });
    assert.deepEqual(detail.responseFields, {
      returned: [
        { name: 'Content-Type', value: 'application/json' },
        { name: 'Location', value: '…' },
        { name: 'ETag', value: '…' },
      ],
      withheld: ['Set-Cookie', 'Strict-Transport-Security'],
    });
    assert.equal(detail.requestBody, undefined);
    assert.equal(detail.responseBody, undefined);
  });
});

suite('with values shown', () => {
  const detail = describeExchange(buildMarked(), shown);

  test('targets, values and bodies are told, credentials are not', () => {
    const text = JSON.stringify(detail);
    for (const mark of [
      'zqmark-id',
      'zqmark-value',
      'zqmark-custom',
      'zqmark-location',
      'zqmark-resbody',
    ]) {
      assert.ok(text.includes(mark), mark);
    }
    const watch = createSecretWatch();
    watch.addSecret('zqmark-client-token', 'zqmark-cookie', JWT);
    watch.addBody(text);
    watch.addBody(JSON.stringify(buildHar([buildMarked()], { ...shown, version: '1.0.0' })));
    watch.assertNone();
  });

  test('a body that is not text is not shown', () => {
    const exchange = buildMarked();
    exchange.wire = { ...exchange.wire!, returned: ['Content-Type', 'image/png'] };
    assert.equal(describeExchange(exchange, shown).responseBody, undefined);
    assert.equal(describeExchange(exchange, shown).requestBody?.text.length, 48);
  });
});

suite('shown target', () => {
  const cases: readonly (readonly [method: string, path: string, expected: string])[] = [
    ['GET', '/Patient', '/fhir/Patient'],
    ['GET', '/Patient/7', '/fhir/Patient/REDACTED'],
    ['GET', '/Patient/7/_history/2', '/fhir/Patient/REDACTED/_history/REDACTED'],
    ['GET', '/Patient/7/Observation?a=1&b=2', '/fhir/Observation?a=REDACTED&b=REDACTED'],
    ['POST', '/Patient/_search', '/fhir/Patient/_search'],
    ['POST', '/Patient', '/fhir/Patient'],
    ['DELETE', '/Patient/7', '/fhir/Patient/REDACTED'],
    ['GET', '/Patient/7/$everything', '/fhir/Patient/$everything'],
    ['GET', '/$export', '/fhir/$export'],
    ['GET', '/metadata', '/fhir/metadata'],
    ['GET', '/.well-known/smart-configuration', '/fhir/.well-known/smart-configuration'],
    ['GET', '/mistake/7', '/fhir/REDACTED'],
    ['POST', '/', '/fhir'],
  ];
  for (const [method, path, expected] of cases) {
    test(`${method} ${path}`, () => {
      assert.equal(showTarget(buildExchangeOf(method, path), false), expected);
      assert.equal(showTarget(buildExchangeOf(method, path), true), `/fhir${path}`);
    });
  }
});

suite('fields', () => {
  const cases: readonly (readonly [name: string, value: string, hidden: string, shown: string])[] =
    [
      ['Authorization', 'Bearer abc', 'Bearer …', 'Bearer …'],
      ['authorization', 'abc', '…', '…'],
      ['Set-Cookie', 'a=b', '…', '…'],
      ['X-Api-Key', 'k', '…', '…'],
      ['Accept', 'application/fhir+json', 'application/fhir+json', 'application/fhir+json'],
      ['User-Agent', 'curl/8.1', 'curl/8.1', 'curl/8.1'],
      ['User-Agent', `x ${JWT}`, 'x [token]', 'x [token]'],
      ['Accept', 'x'.repeat(500), '…', 'x'.repeat(500)],
      ['X-Request-Id', '42', '…', '42'],
      ['Location', 'http://h/Patient?x=1', '…', 'http://h/Patient?x=1'],
    ];
  for (const [name, value, whenHidden, whenShown] of cases) {
    test(`${name}: ${value.slice(0, 30)}`, () => {
      assert.equal(showFieldValue(name, value, false), whenHidden);
      assert.equal(showFieldValue(name, value, true), whenShown);
    });
  }

  test('nothing is marked when nothing went out', () => {
    const { before, after } = compareFields(['Accept', '*/*'], undefined, false);
    assert.deepEqual(before, [{ name: 'Accept', value: '*/*' }]);
    assert.deepEqual(after, []);
  });
});

suite('curl', () => {
  test('a search is asked again with its values, or with REDACTED in their place', () => {
    const exchange = buildExchangeOf('GET', '/Patient?name=Ada&_count=2');
    assert.equal(buildCurl(exchange, shown), `curl -i '${BASE}/fhir/Patient?name=Ada&_count=2'`);
    assert.equal(
      buildCurl(exchange, hidden),
      `curl -i '${BASE}/fhir/Patient?name=REDACTED&_count=REDACTED'`,
    );
  });

  test('a write with fields and a body, credentials left out', () => {
    assert.equal(
      buildCurl(buildMarked(), shown),
      `curl -i -X PUT '${BASE}/fhir/Patient/zqmark-id?name=zqmark-value&_format=json'` +
        ` -H 'X-Custom: zqmark-custom' -H 'Content-Type: application/fhir+json'` +
        ` -H 'Accept: application/fhir+json' --data-binary @body.json`,
    );
  });

  test('a value with a quote cannot end the word', () => {
    const exchange = buildExchangeOf('GET', "/Patient?name=O'Hara;rm");
    assert.equal(buildCurl(exchange, shown), `curl -i '${BASE}/fhir/Patient?name=O'\\''Hara;rm'`);
  });

  test('a HEAD is asked with --head', () => {
    assert.equal(
      buildCurl(buildExchangeOf('HEAD', '/Patient'), hidden),
      `curl -i --head ${BASE}/fhir/Patient`,
    );
  });
});

suite('HAR', () => {
  test('a HAR validator accepts it, with values hidden and shown', async () => {
    const exchanges = [
      buildMarked(),
      buildExchangeOf('GET', '/Patient?name=a'),
      buildExchangeOf('GET', '/Patient/1', {
        status: 503,
        outcome: 'failed',
        timings: { totalMs: 2 },
      }),
      buildExchangeOf('GET', '/Patient/1', { status: 0, outcome: 'client-gone', timings: {} }),
    ];
    await assertHar(buildHar(exchanges, { ...hidden, version: '1.0.0' }));
    await assertHar(buildHar(exchanges, { ...shown, version: '1.0.0' }));
  });

  test('the validator would not accept anything', async () => {
    await assert.rejects(assertHar({ log: { version: '1.2', entries: [{}] } }));
  });

  test('the times add up to the whole', () => {
    const { log } = buildHar([buildExchangeOf('GET', '/Patient')], { ...hidden, version: '1' }) as {
      log: { entries: { time: number; timings: Record<string, number> }[] };
    };
    const [entry] = log.entries;
    const sum = Object.values(entry!.timings).reduce((total, ms) => total + ms, 0);
    assert.equal(Math.round(sum * 1000), Math.round(entry!.time * 1000));
  });

  test('what has not ended is left out', () => {
    const { log } = buildHar([buildExchangeOf('GET', '/Patient', { outcome: 'pending' })], {
      ...hidden,
      version: '1',
    }) as { log: { entries: unknown[] } };
    assert.deepEqual(log.entries, []);
  });
});
