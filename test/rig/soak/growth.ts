/** Judges whether a process grows, from samples taken while it was at rest. */
import type { Holdings } from '../program/program.ts';

/** What was held at a moment of rest, once the inspector had forgotten its exchanges. */
export interface Sample extends Holdings {
  /** Milliseconds since the start of the load. */
  atMs: number;
  /** What the inspector's exchanges had held, in heap and buffers. */
  keptBytes: number;
}

/** Share of the samples that counts as warm-up: code is compiled, caches fill, and the pools reach their size. */
export const WARM_UP_SHARE = 0.34;
/**
 * Rise of what is held that is no growth, in bytes. V8 goes on compiling, and pools and caches are
 * fuller now and then: of the 0.4 MiB by which ten minutes were seen to end above their warm-up
 * (heap snapshots), more than half was code with V8's lists of what depends on it, the rest
 * connections of pools and one cached answer. In 10 minutes, some 100 000 requests after warm-up,
 * 1 MiB is 10 bytes a request: less than the smallest thing that could be forgotten once a request.
 */
const RISE_ALLOWANCE_BYTES = 1024 * 1024;
/**
 * Most that the inspector's exchanges may hold, in bytes. There are 500 of them; with the fields of
 * this load, and with nobody's body or socket, they hold up to 2.2 MiB.
 */
const KEPT_ALLOWANCE_BYTES = 4 * 1024 * 1024;

/** Heap and buffers. */
export function heldBytes({ heapUsed, external }: Pick<Holdings, 'heapUsed' | 'external'>): number {
  return heapUsed + external;
}

/** The most that the inspector's exchanges held at the end of a round, in bytes. */
export function mostKept(samples: readonly Sample[]): number {
  return Math.max(0, ...samples.map(({ keptBytes }) => keptBytes));
}

/** The samples after warm-up. */
export function warmSamples(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.ceil(samples.length * WARM_UP_SHARE));
}

/**
 * Rise of a value over the time of the samples, by the median of the slopes between all pairs
 * (Theil-Sen): a single high or low sample does not move it.
 */
export function riseOver(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const slopes: number[] = [];
  for (const [index, before] of samples.entries()) {
    for (const after of samples.slice(index + 1)) {
      slopes.push((read(after) - read(before)) / (after.atMs - before.atMs));
    }
  }
  if (slopes.length === 0) return 0;
  slopes.sort((a, b) => a - b);
  const spanMs = (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
  return (slopes[Math.trunc(slopes.length / 2)] ?? 0) * spanMs;
}

/** What the samples tell of growth, as sentences; none when there is none. */
export function findGrowth(samples: readonly Sample[]): string[] {
  const rise = riseOver(warmSamples(samples), heldBytes);
  const kept = mostKept(samples);
  return [
    ...(rise > RISE_ALLOWANCE_BYTES
      ? [`heap and buffers have grown by ${Math.round(rise)} bytes: run again with --snapshots`]
      : []),
    ...(kept > KEPT_ALLOWANCE_BYTES ? [`the inspector’s exchanges held ${kept} bytes`] : []),
  ];
}

/**
 * Kinds of handles of which there are more than at the start. Sockets and streams must all be gone;
 * of timers one more may be at work, since those of the routes and of the server come and go.
 * `Immediate` is no handle, but a callback that is about to run, such as the probe's own.
 */
export function findMoreHandles(start: readonly string[], end: readonly string[]): string[] {
  const count = (handles: readonly string[], kind: string): number =>
    handles.filter((each) => each === kind).length;
  return [...new Set(end)].flatMap((kind) => {
    if (kind === 'Immediate') return [];
    const before = count(start, kind);
    const after = count(end, kind);
    const spare = kind === 'Timeout' ? 1 : 0;
    return after > before + spare ? [`${kind} ${before} → ${after}`] : [];
  });
}
