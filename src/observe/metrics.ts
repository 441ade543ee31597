import type { Exchange, TokenRequestEnd, TokenState } from '../base/contracts.ts';
import { addExchange, createRouteTally, type RouteTally } from './tally.ts';

/** Connections at a moment. */
export interface ConnectionCounts {
  /** Open connections of clients. */
  clients: number;
  /** Towards upstreams: connected sockets, requests on them, and requests that wait for one. */
  upstreams: readonly { route: string; connected: number; running: number; waiting: number }[];
}

/** What metrics need to know. */
export interface MetricsOptions {
  /** Version of this program. */
  version: string;
  /** Asked at scrape time. */
  tokenStates?: () => readonly { route: string; state: TokenState }[];
  /** Asked at scrape time. */
  connections?: () => ConnectionCounts;
  /** Whether to add prom-client's metrics of the process (memory, CPU, event loop); default true. */
  processMetrics?: boolean;
  /** Milliseconds since the epoch; default `Date.now`. */
  now?: () => number;
}

/** Everything counted so far; the registry reads it at scrape time. */
export interface Counts {
  inFlight: number;
  readonly routes: ReadonlyMap<string, RouteTally>;
  readonly hints: ReadonlyMap<string, number>;
  /** What never became a request, by code. */
  readonly unparsed: ReadonlyMap<string, number>;
  /** By `route`, `outcome` and `reason`, joined with a line feed. */
  readonly tokenRequests: ReadonlyMap<string, number>;
}

/** Counts what happens, and tells it in Prometheus' text format. */
export interface Metrics {
  /** Call at the arrival of a request. */
  exchangeStarted(): void;
  /** Call once at the end of every exchange that was started. */
  exchangeFinished(exchange: Exchange): void;
  /** Call when what came over a connection was refused before it became a request. @param code a word of our own */
  unparsedRefused(code: string): void;
  /** Call at the end of every token request. @param route path of the route that it was for */
  tokenRequested(route: string, end: TokenRequestEnd): void;
  readonly counts: Counts;
  /** The page for a scrape. The first call loads prom-client; nothing is paid before. */
  render(): Promise<string>;
  /** `Content-Type` of the page. */
  readonly contentType: string;
}

/** Name of what does not fit: routes and hints are few and come from config and catalogue. */
const OTHER = 'other';
const MAX_ROUTES = 128;
const MAX_HINTS = 256;
/** Hint ids are words of our own catalogue. */
const HINT_ID = /^[a-z][a-z0-9-]{0,63}$/;

/** Creates the metrics; counting costs a few additions per exchange and no allocation. */
export function createMetrics(options: MetricsOptions): Metrics {
  const routes = new Map<string, RouteTally>();
  const hints = new Map<string, number>();
  const unparsed = new Map<string, number>();
  const tokenRequests = new Map<string, number>();
  const counts: Counts = { inFlight: 0, routes, hints, unparsed, tokenRequests };
  let rendering: Promise<() => Promise<string>> | undefined;

  function tallyOf(route: string): RouteTally {
    const name = routes.has(route) || routes.size < MAX_ROUTES ? route : OTHER;
    let tally = routes.get(name);
    if (tally === undefined) routes.set(name, (tally = createRouteTally()));
    return tally;
  }

  return {
    counts,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    exchangeStarted() {
      counts.inFlight += 1;
    },
    exchangeFinished(exchange) {
      counts.inFlight -= 1;
      addExchange(tallyOf(exchange.route ?? 'none'), exchange);
      for (const { id } of exchange.hints) {
        const fits = HINT_ID.test(id) && (hints.has(id) || hints.size < MAX_HINTS);
        increment(hints, fits ? id : OTHER);
      }
    },
    unparsedRefused(code) {
      increment(unparsed, code);
    },
    tokenRequested(route, { outcome, reason }) {
      increment(tokenRequests, `${route}\n${outcome}\n${reason}`);
    },
    async render() {
      rendering ??= import('./metrics-registry.ts').then(({ createMetricsRegistry }) =>
        createMetricsRegistry(counts, options),
      );
      return (await rendering)();
    },
  };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
