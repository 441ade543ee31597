import { Counter, Gauge, Registry, collectDefaultMetrics, type Metric } from 'prom-client';

import { missingScopes } from '../fhir/scope.ts';
import type { Counts, MetricsOptions } from './metrics.ts';
import { INTERACTIONS, STATUS_CLASSES, type HistogramTally, type RouteTally } from './tally.ts';

/** Prefix of every metric of our own. */
const PREFIX = 'fhir_auth_proxy_';

type Labels = Record<string, string>;
type Sample = readonly [labels: Labels, value: number];

/**
 * Turns the counts into Prometheus' text format with a prom-client registry of our own. The values
 * are read when the page is asked for, so that counting needs no labels and no hashing.
 *
 * @returns the function that renders the page
 */
export function createMetricsRegistry(
  counts: Counts,
  options: MetricsOptions,
): () => Promise<string> {
  const register = new Registry();
  const add = createAdder(register);
  add.gauge('build_info', 'Version of the proxy; always 1.', ['version'], () => [
    [{ version: options.version }, 1],
  ]);
  addExchangeMetrics(add, counts);
  addTokenMetrics(add, counts, options);
  if (options.connections !== undefined) addConnectionMetrics(add, options.connections);
  if (options.processMetrics !== false) collectDefaultMetrics({ register });
  return () => register.metrics();
}

type Adder = ReturnType<typeof createAdder>;

function createAdder(register: Registry) {
  return {
    counter(name: string, help: string, labelNames: string[], read: () => Iterable<Sample>) {
      const metric = new Counter({
        name: PREFIX + name,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      });
      register.registerMetric(metric);
    },
    gauge(name: string, help: string, labelNames: string[], read: () => Iterable<Sample>) {
      const metric = new Gauge({
        name: PREFIX + name,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.set(labels, value);
        },
      });
      register.registerMetric(metric);
    },
    /** prom-client has no way to set a histogram's buckets, so this one speaks its `get` contract. */
    histogram(name: string, help: string, read: () => Iterable<readonly [Labels, HistogramTally]>) {
      const metric = {
        name: PREFIX + name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        get() {
          const values = [...read()].flatMap(([labels, tally]) =>
            histogramSamples(this.name, labels, tally),
          );
          return Promise.resolve({ ...this, values });
        },
      };
      register.registerMetric(metric as unknown as Metric);
    },
  };
}

function histogramSamples(name: string, labels: Labels, tally: HistogramTally) {
  let total = 0;
  const samples = [...tally.counts].map((count, bucket) => {
    total += count;
    const bound = tally.boundsMs[bucket];
    const le = bound === undefined ? '+Inf' : String(bound / 1000);
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
  });
  return [
    ...samples,
    { metricName: `${name}_sum`, labels, value: tally.sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: total },
  ];
}

function addExchangeMetrics(add: Adder, counts: Counts): void {
  const perRoute = function* (read: (tally: RouteTally) => Iterable<Sample>): Generator<Sample> {
    for (const [route, tally] of counts.routes) {
      for (const [labels, value] of read(tally)) yield [{ route, ...labels }, value];
    }
  };
  const nonZero = (name: string, values: Record<string, number>): Sample[] =>
    Object.entries(values).flatMap(([label, value]) =>
      value === 0 ? [] : [[{ [name]: label }, value] as const],
    );

  add.counter(
    'requests_total',
    'Finished requests by route, FHIR interaction and status class.',
    ['route', 'interaction', 'status'],
    () => perRoute(({ requests }) => requestSamples(requests)),
  );
  add.counter('outcomes_total', 'How requests ended.', ['route', 'outcome'], () =>
    perRoute(({ outcomes }) => nonZero('outcome', outcomes)),
  );
  add.counter(
    'token_use_total',
    'Where the token of a request came from.',
    ['route', 'token'],
    () => perRoute(({ origins }) => nonZero('token', origins)),
  );
  add.counter('replays_total', 'Requests sent again with a new token after a 401.', ['route'], () =>
    perRoute(({ replays }) => [[{}, replays]]),
  );
  add.counter('request_bytes_total', 'Body bytes passed to the upstream.', ['route'], () =>
    perRoute(({ requestBytes }) => [[{}, requestBytes]]),
  );
  add.counter('response_bytes_total', 'Body bytes sent to clients.', ['route'], () =>
    perRoute(({ responseBytes }) => [[{}, responseBytes]]),
  );
  add.counter('hints_total', 'Explained failures by hint.', ['hint'], () =>
    [...counts.hints].map(([hint, value]) => [{ hint }, value] as const),
  );
  add.counter(
    'unparsed_requests_total',
    'What came over a connection and was refused before it was a request: no HTTP, too long, too slow; by code.',
    ['code'],
    () => [...counts.unparsed].map(([code, value]) => [{ code }, value] as const),
  );
  add.gauge('requests_in_flight', 'Requests that have arrived and not ended.', [], () => [
    [{}, counts.inFlight],
  ]);
  add.histogram(
    'overhead_duration_seconds',
    'What the proxy adds before a request is sent: gate, token, waiting for a connection.',
    () => [...counts.routes].map(([route, { overhead }]) => [{ route }, overhead] as const),
  );
  add.histogram(
    'upstream_duration_seconds',
    'From there until the head of the answer has arrived.',
    function* () {
      for (const [route, { upstream }] of counts.routes) {
        for (const [index, tally] of upstream.entries()) {
          if (tally !== undefined)
            yield [{ route, interaction: INTERACTIONS[index] ?? 'other' }, tally];
        }
      }
    },
  );
}

function* requestSamples(requests: Float64Array): Generator<Sample> {
  for (const [cell, value] of requests.entries()) {
    if (value === 0) continue;
    const interaction = INTERACTIONS[Math.trunc(cell / STATUS_CLASSES.length)] ?? 'other';
    const status = STATUS_CLASSES[cell % STATUS_CLASSES.length] ?? 'none';
    yield [{ interaction, status }, value];
  }
}

function addTokenMetrics(add: Adder, counts: Counts, options: MetricsOptions): void {
  const { tokenStates = () => [], now = Date.now } = options;
  add.counter(
    'token_requests_total',
    'Token requests by outcome and reason (first, renewal in the background, replacement after a 401 or by hand).',
    ['route', 'outcome', 'reason'],
    () =>
      [...counts.tokenRequests].map(([key, value]) => {
        const [route = '', outcome = '', reason = ''] = key.split('\n');
        return [{ route, outcome, reason }, value] as const;
      }),
  );
  add.gauge('token_seconds_left', 'Seconds until the token in hand expires.', ['route'], () =>
    tokenStates().flatMap(({ route, state }) =>
      state.expiresAtMs === undefined
        ? []
        : [[{ route }, Math.max(0, (state.expiresAtMs - now()) / 1000)] as const],
    ),
  );
  add.gauge('token_live', 'Whether a usable token is in hand (1) or not (0).', ['route'], () =>
    tokenStates().map(({ route, state }) => [{ route }, state.state === 'live' ? 1 : 0] as const),
  );
  add.gauge('token_scopes_missing', 'Scopes that were asked for and not granted.', ['route'], () =>
    tokenStates().map(({ route, state }) => {
      const missing = missingScopes(state.requestedScopes, state.grantedScopes);
      return [{ route }, state.generation === 0 ? 0 : missing.length] as const;
    }),
  );
}

function addConnectionMetrics(
  add: Adder,
  connections: NonNullable<MetricsOptions['connections']>,
): void {
  add.gauge('client_connections', 'Open connections of clients.', [], () => [
    [{}, connections().clients],
  ]);
  add.gauge(
    'upstream_connections',
    'Towards the upstream: connected sockets, running requests, requests that wait for a socket.',
    ['route', 'state'],
    () =>
      connections().upstreams.flatMap(({ route, connected, running, waiting }) => [
        [{ route, state: 'connected' }, connected] as const,
        [{ route, state: 'running' }, running] as const,
        [{ route, state: 'waiting' }, waiting] as const,
      ]),
  );
}
