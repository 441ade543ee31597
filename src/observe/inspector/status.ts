import type { Metrics } from '../metrics.ts';
import type { Recorder } from '../recorder.ts';
import { describeRoute, type RouteState } from './overview.ts';

/** What the status is made from. */
export interface StatusOptions {
  version: string;
  startedAtMs: number;
  /** Milliseconds since the epoch. */
  now: number;
  recorder: Recorder;
  metrics: Metrics;
}

/** What `/_proxy/status` says, for people and scripts: version, uptime, routes, token states, counts. */
export function buildStatus(routes: readonly RouteState[], options: StatusOptions): object {
  const { version, startedAtMs, now, recorder, metrics } = options;
  const live = routes.filter(({ token }) => token.state === 'live').length;
  return {
    version,
    startedAt: new Date(startedAtMs).toISOString(),
    uptimeSeconds: Math.round((now - startedAtMs) / 1000),
    tokens: live === routes.length ? 'live' : live === 0 ? 'none' : 'some',
    requests: { ...recorder.traffic.totals, inFlight: metrics.counts.inFlight },
    routes: routes.map(describeRoute),
  };
}
