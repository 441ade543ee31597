/**
 * Counts of exchanges as plain numbers: this is what every request pays for metrics. Every index
 * comes from a closed set, so that nothing a client sends can make the counts grow.
 */
import type { Exchange, Outcome, TokenOrigin } from '../base/contracts.ts';
import type { InteractionName } from '../fhir/interaction.ts';

/** FHIR's interactions, and `none` for what is outside every route, in the order of their indexes. */
export const INTERACTIONS = [
  'capabilities',
  'discovery',
  'read',
  'vread',
  'history',
  'search',
  'create',
  'update',
  'patch',
  'delete',
  'operation',
  'batch',
  'other',
  'none',
] as const satisfies readonly (InteractionName | 'none')[];

const INTERACTION_INDEX = Object.fromEntries(
  INTERACTIONS.map((name, index) => [name, index]),
) as Record<InteractionName | 'none', number>;

/** Status classes in the order of their indexes; `none`: the exchange ended before a status was sent. */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Upper bounds in milliseconds of what an upstream takes; OpenEMR needs tens of milliseconds for a search. */
const UPSTREAM_BOUNDS_MS = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000,
] as const;

/** Upper bounds in milliseconds of what the proxy adds. */
const OVERHEAD_BOUNDS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 100, 250, 1000, 5000, 30_000,
] as const;

/** How often a value fell into which bucket. */
export interface HistogramTally {
  readonly boundsMs: readonly number[];
  /** Observations per bucket, not cumulative; the last one is above every bound. */
  readonly counts: Float64Array;
  sumMs: number;
}

/** Creates an empty histogram. */
export function createHistogramTally(boundsMs: readonly number[]): HistogramTally {
  return { boundsMs, counts: new Float64Array(boundsMs.length + 1), sumMs: 0 };
}

/** Counts one value. */
export function observe(histogram: HistogramTally, ms: number): void {
  const { boundsMs, counts } = histogram;
  let bucket = 0;
  while (bucket < boundsMs.length && ms > (boundsMs[bucket] ?? 0)) bucket += 1;
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  histogram.sumMs += ms;
}

/** Counts of one route. */
export interface RouteTally {
  /** By interaction and status class: `interaction * STATUS_CLASSES.length + statusClass`. */
  readonly requests: Float64Array;
  readonly outcomes: Record<Outcome, number>;
  readonly origins: Record<TokenOrigin, number>;
  /** Time until the request was sent: gate, token, waiting for a connection. */
  readonly overhead: HistogramTally;
  /** From there to the head of the answer, by interaction; created when first needed. */
  readonly upstream: (HistogramTally | undefined)[];
  replays: number;
  requestBytes: number;
  responseBytes: number;
}

/** Creates the empty counts of a route. */
export function createRouteTally(): RouteTally {
  return {
    requests: new Float64Array(INTERACTIONS.length * STATUS_CLASSES.length),
    outcomes: {
      pending: 0,
      forwarded: 0,
      answered: 0,
      refused: 0,
      failed: 0,
      'client-gone': 0,
      'not-fhir': 0,
      'upstream-died': 0,
    },
    origins: { none: 0, cached: 0, fresh: 0, stale: 0 },
    overhead: createHistogramTally(OVERHEAD_BOUNDS_MS),
    upstream: [],
    replays: 0,
    requestBytes: 0,
    responseBytes: 0,
  };
}

/** Adds a finished exchange to the counts of its route. */
export function addExchange(tally: RouteTally, exchange: Exchange): void {
  const { requests, outcomes, origins, overhead, upstream } = tally;
  const { timings } = exchange;
  const interaction =
    INTERACTION_INDEX[exchange.interaction?.name ?? 'none'] ?? INTERACTION_INDEX.other;
  const statusClass = Math.min(5, Math.max(0, Math.trunc(exchange.status / 100)));
  const cell = interaction * STATUS_CLASSES.length + statusClass;
  requests[cell] = (requests[cell] ?? 0) + 1;
  outcomes[exchange.outcome] += 1;
  origins[exchange.tokenOrigin] += 1;
  tally.requestBytes += exchange.requestBytes;
  tally.responseBytes += exchange.responseBytes;
  if (exchange.replayed) tally.replays += 1;

  // A replayed request has waited for the upstream twice: its times would say nothing about either.
  const sentMs = timings.sentMs ?? timings.tokenMs;
  if (sentMs === undefined || exchange.replayed) return;
  observe(overhead, sentMs);
  if (timings.upstreamMs === undefined) return;
  observe(
    (upstream[interaction] ??= createHistogramTally(UPSTREAM_BOUNDS_MS)),
    Math.max(0, timings.upstreamMs - sentMs),
  );
}
