/** The table at the end of a soak. */
import { availableParallelism, loadavg } from 'node:os';

import { heldBytes, mostKept, riseOver, warmSamples, type Sample } from './growth.ts';
import type { MetricsFigures } from './metrics-page.ts';
import type { Soak } from './rounds.ts';

/** What the table shows besides the counts. */
export interface SoakEnd {
  seed: number;
  seconds: number;
  metrics: MetricsFigures;
  /** Open sockets at start and end: from clients, and to token endpoint and upstreams. */
  sockets: { start: readonly [number, number]; end: readonly [number, number] };
  handles: { start: readonly string[]; end: readonly string[] };
}

/** The whole table. */
export function formatSoak({ tally, samples, world, failures }: Soak, end: SoakEnd): string {
  const warm = warmSamples(samples);
  const first = warm[0];
  const last = warm.at(-1);
  return [
    `soak, seed ${end.seed}, ${Math.round(end.seconds)} s, ${samples.length} rounds, load ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')} on ${availableParallelism()} cores`,
    row('requests', `${tally.calls} (${Math.round(tally.calls / end.seconds)}/s)`),
    ...block('by kind', tally.byKind),
    ...block('by interaction (metrics)', end.metrics.interactions),
    ...block('answers by status (0: none)', tally.byStatus),
    row('clients that left on purpose', tally.left),
    ...block('explained by the fault that was on', tally.explained),
    ...block('unexplained', tally.unexplained),
    row('faults played', tally.faultsPlayed),
    row('longest recovery', `${(tally.longestRecoveryMs / 1000).toFixed(1)} s`),
    row('configuration reloads', tally.reloads),
    row('replays', end.metrics.replays),
    row('token requests', end.metrics.tokenRequests),
    row('bytes looked at for secrets', world.leaks.bytes()),
    row('secrets seen', world.leaks.leaks.length),
    row('', 'start        end'),
    row('sockets of clients', pair(...of(end.sockets, 0))),
    row('sockets to the server', pair(...of(end.sockets, 1))),
    row('handles', pair(end.handles.start.length, end.handles.end.length)),
    row('  at the end', end.handles.end.join(' ')),
    row('heap after GC', pair(size(first, 'heapUsed'), size(last, 'heapUsed'))),
    row('  of it code', pair(size(first, 'code'), size(last, 'code'))),
    row('buffers after GC', pair(size(first, 'external'), size(last, 'external'))),
    row('RSS', pair(size(first, 'rss'), size(last, 'rss'))),
    row('rise of heap and buffers (Theil-Sen)', megabytes(riseOver(warm, heldBytes))),
    row('  of it code', megabytes(riseOver(warm, ({ code }) => code))),
    row('most that kept exchanges held', megabytes(mostKept(samples))),
    row('heap and buffers of every round', eachRound(samples, heldBytes)),
    row(
      'kept exchanges of every round',
      eachRound(samples, ({ keptBytes }) => keptBytes),
    ),
    failures.length === 0 ? 'PASSED' : `FAILED\n${failures.join('\n')}`,
  ].join('\n');
}

function of({ start, end }: SoakEnd['sockets'], index: 0 | 1): [number, number] {
  return [start[index], end[index]];
}

function pair(start: string | number, end: string | number): string {
  return `${String(start).padEnd(12)} ${end}`;
}

function eachRound(samples: readonly Sample[], read: (sample: Sample) => number): string {
  return samples.map((sample) => (read(sample) / 2 ** 20).toFixed(1)).join(' ');
}

function size(sample: Sample | undefined, what: 'heapUsed' | 'code' | 'external' | 'rss'): string {
  return sample === undefined ? '-' : megabytes(sample[what]);
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

function row(name: string, value: string | number): string {
  return `${name.padEnd(44)} ${value}`.trimEnd();
}

function block(title: string, counts: ReadonlyMap<string | number, number>): string[] {
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  return [
    row(title, rows.length === 0 ? 'none' : ''),
    ...rows.map(([name, count]) => row(`  ${name}`, count)),
  ];
}
