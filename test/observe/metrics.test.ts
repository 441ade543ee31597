import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';

import type { TokenState } from '../../src/base/contracts.ts';
import { parseInteraction } from '../../src/fhir/interaction.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createHistogramTally, observe } from '../../src/observe/tally.ts';
import { buildExchange } from '../support/exchange.ts';

/** Samples of a page by their name and labels. */
function samplesOf(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    samples.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return samples;
}

const quiet = { version: '1.2.3', processMetrics: false };

suite('metrics', () => {
  test('counts requests by route, interaction and status class', async () => {
    const metrics = createMetrics(quiet);
    for (const changes of [
      {},
      {},
      { status: 404 },
      { route: '/other', interaction: parseInteraction('GET', '/Patient/1/$everything') },
      { status: 0, outcome: 'client-gone' as const },
    ]) {
      metrics.exchangeStarted();
      metrics.exchangeFinished(buildExchange(changes));
    }
    const samples = samplesOf(await metrics.render());
    const requests = (labels: string) => samples.get(`fhir_auth_proxy_requests_total{${labels}}`);
    assert.equal(requests('route="/fhir",interaction="search",status="2xx"'), 2);
    assert.equal(requests('route="/fhir",interaction="search",status="4xx"'), 1);
    assert.equal(requests('route="/fhir",interaction="search",status="none"'), 1);
    assert.equal(requests('route="/other",interaction="operation",status="2xx"'), 1);
    assert.equal(
      samples.get('fhir_auth_proxy_outcomes_total{route="/fhir",outcome="client-gone"}'),
      1,
    );
    assert.equal(samples.get('fhir_auth_proxy_response_bytes_total{route="/fhir"}'), 400);
    assert.equal(samples.get('fhir_auth_proxy_build_info{version="1.2.3"}'), 1);
  });

  test('a second scrape shows the same counts, not their double', async () => {
    const metrics = createMetrics(quiet);
    metrics.exchangeStarted();
    metrics.exchangeFinished(buildExchange());
    const first = await metrics.render();
    assert.equal(await metrics.render(), first);
  });

  test('measures what the proxy adds and what the upstream takes apart', async () => {
    const metrics = createMetrics(quiet);
    metrics.exchangeFinished(buildExchange());
    metrics.exchangeFinished(buildExchange({ timings: { tokenMs: 0.2, upstreamMs: 400 } }));
    metrics.exchangeFinished(buildExchange({ replayed: true }));
    metrics.exchangeFinished(buildExchange({ timings: { totalMs: 1 } }));
    const samples = samplesOf(await metrics.render());
    const bucket = (name: string, labels: string) =>
      samples.get(`fhir_auth_proxy_${name}_duration_seconds_bucket{${labels}}`);
    const upstream = 'route="/fhir",interaction="search"';
    assert.equal(bucket('upstream', `${upstream},le="0.01"`), 0);
    assert.equal(bucket('upstream', `${upstream},le="0.025"`), 1);
    assert.equal(bucket('upstream', `${upstream},le="0.5"`), 2);
    assert.equal(bucket('upstream', `${upstream},le="+Inf"`), 2);
    assert.equal(bucket('overhead', 'route="/fhir",le="0.0001"'), 0);
    assert.equal(bucket('overhead', 'route="/fhir",le="0.00025"'), 1);
    assert.equal(bucket('overhead', 'route="/fhir",le="0.0005"'), 2);
    const sum = samples.get(`fhir_auth_proxy_upstream_duration_seconds_sum{${upstream}}`) ?? 0;
    assert.ok(Math.abs(sum - 0.4198) < 1e-9);
    assert.equal(samples.get(`fhir_auth_proxy_upstream_duration_seconds_count{${upstream}}`), 2);
  });

  test('counts replays, hints and what is in flight', async () => {
    const metrics = createMetrics(quiet);
    metrics.exchangeStarted();
    metrics.exchangeStarted();
    const hint = { certainty: 'likely', title: '', cause: '', fix: '', evidence: '' } as const;
    metrics.exchangeFinished(
      buildExchange({ replayed: true, hints: [{ ...hint, id: 'scope-missing' }] }),
    );
    const samples = samplesOf(await metrics.render());
    assert.equal(samples.get('fhir_auth_proxy_replays_total{route="/fhir"}'), 1);
    assert.equal(samples.get('fhir_auth_proxy_hints_total{hint="scope-missing"}'), 1);
    assert.equal(samples.get('fhir_auth_proxy_requests_in_flight'), 1);
  });

  test('counts what was refused before it became a request, by code', async () => {
    const metrics = createMetrics(quiet);
    for (const code of ['request-malformed', 'tls-refused', 'request-malformed']) {
      metrics.unparsedRefused(code);
    }
    const samples = samplesOf(await metrics.render());
    const refused = (code: string) =>
      samples.get(`fhir_auth_proxy_unparsed_requests_total{code="${code}"}`);
    assert.equal(refused('request-malformed'), 2);
    assert.equal(refused('tls-refused'), 1);
  });

  test('tells about tokens and connections at the time of the scrape', async () => {
    const state: TokenState = {
      state: 'live',
      generation: 1,
      expiresAtMs: 250_000,
      requestedScopes: ['system/Patient.read', 'system/Group.read'],
      // Another spelling of what was asked for is not missing.
      grantedScopes: ['system/Patient.rs'],
      requests: 1,
    };
    const none: TokenState = { ...state, state: 'none', generation: 0, grantedScopes: [] };
    delete none.expiresAtMs;
    const metrics = createMetrics({
      ...quiet,
      now: () => 100_000,
      tokenStates: () => [
        { route: '/fhir', state },
        { route: '/cold', state: none },
      ],
      connections: () => ({
        clients: 7,
        upstreams: [{ route: '/fhir', connected: 3, running: 2, waiting: 1 }],
      }),
    });
    metrics.tokenRequested('/fhir', { outcome: 'granted', reason: 'first' });
    metrics.tokenRequested('/fhir', { outcome: 'granted', reason: 'renewal' });
    metrics.tokenRequested('/fhir', { outcome: 'granted', reason: 'renewal' });
    metrics.tokenRequested('/cold', { outcome: 'configuration', reason: 'first' });
    const samples = samplesOf(await metrics.render());
    const expected = {
      'token_seconds_left{route="/fhir"}': 150,
      'token_live{route="/fhir"}': 1,
      'token_live{route="/cold"}': 0,
      'token_scopes_missing{route="/fhir"}': 1,
      'token_scopes_missing{route="/cold"}': 0,
      'token_requests_total{route="/fhir",outcome="granted",reason="first"}': 1,
      'token_requests_total{route="/fhir",outcome="granted",reason="renewal"}': 2,
      'token_requests_total{route="/cold",outcome="configuration",reason="first"}': 1,
      client_connections: 7,
      'upstream_connections{route="/fhir",state="connected"}': 3,
      'upstream_connections{route="/fhir",state="running"}': 2,
      'upstream_connections{route="/fhir",state="waiting"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(samples.get(`fhir_auth_proxy_${name}`), value, name);
    }
    assert.equal(samples.has('fhir_auth_proxy_token_seconds_left{route="/cold"}'), false);
  });

  test("adds the process's own metrics unless told not to", async () => {
    const metrics = createMetrics({ version: '1.2.3' });
    assert.match(await metrics.render(), /^process_resident_memory_bytes \d+/m);
  });

  test('no label holds a value from a request, and requests cannot make the page grow', async () => {
    const metrics = createMetrics(quiet);
    const drive = (marker: string) => {
      for (let index = 0; index < 500; index += 1) {
        const value = `${marker}${index}`;
        for (const [method, path] of [
          ['GET', `/Patient/${value}`],
          ['GET', `/${value}`],
          ['GET', `/${value.toUpperCase()}/$${value}`],
          [value.toUpperCase(), '/Patient'],
          ['GET', `/Abc${value.replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`],
        ] as const) {
          metrics.exchangeFinished(
            buildExchange({
              id: value,
              method,
              interaction: parseInteraction(method, path),
              parameterNames: [value],
              target: `/fhir${path}?x=${value}`,
              status: 100 + ((index * 7) % 500),
            }),
          );
        }
      }
    };
    drive('zqmarker');
    const first = await metrics.render();
    drive('zqother');
    const second = await metrics.render();
    assert.doesNotMatch(second, /zq|abc/i);
    assert.equal(samplesOf(second).size, samplesOf(first).size);
    assert.ok(samplesOf(second).size < 400, `${samplesOf(second).size} series`);
  });

  test('even routes and hint ids without end stay bounded', async () => {
    const metrics = createMetrics(quiet);
    const hint = { certainty: 'likely', title: '', cause: '', fix: '', evidence: '' } as const;
    for (let index = 0; index < 2000; index += 1) {
      metrics.exchangeFinished(
        buildExchange({ route: `/r${index}`, hints: [{ ...hint, id: `hint-${index}` }] }),
      );
    }
    metrics.exchangeFinished(buildExchange({ hints: [{ ...hint, id: 'Not An Id' }] }));
    assert.equal(metrics.counts.routes.size, 129);
    assert.equal(metrics.counts.hints.size, 257);
    assert.equal(metrics.counts.hints.get('other'), 2000 - 256 + 1);
  });
});

test('a histogram counts a value on a bound into the bucket of that bound', () => {
  const histogram = createHistogramTally([1, 2]);
  for (const value of [0, 1, 1.5, 2, 3]) observe(histogram, value);
  assert.deepEqual([...histogram.counts], [2, 2, 1]);
  assert.equal(histogram.sumMs, 7.5);
});

test('the Grafana dashboard asks only for metrics that exist, and for all of them', async () => {
  const dashboard = readFileSync(new URL('../../deploy/grafana.json', import.meta.url), 'utf8');
  const metrics = createMetrics({
    version: '1',
    tokenStates: () => [],
    connections: () => ({ clients: 0, upstreams: [] }),
  });
  const page = await metrics.render();
  const known = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = [...dashboard.matchAll(/\b(?:fhir_auth_proxy|process|nodejs)_[a-z0-9_]+/g)].map(
    ([name]) => name.replace(/_bucket$/, ''),
  );
  for (const name of asked) assert.ok(known.has(name), name);
  // A version is no course of anything.
  const shown = new Set([...asked, 'fhir_auth_proxy_build_info']);
  const own = [...known].filter((name) => name?.startsWith('fhir_auth_proxy_'));
  assert.ok(own.length > 15);
  assert.deepEqual(
    own.filter((name) => !shown.has(name!)),
    [],
    'not on the dashboard',
  );
});
