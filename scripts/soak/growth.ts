/** Judges whether a process grows, from samples taken while it was at rest. */
import type { Holdings } from '../rig/program.ts';

/** What was held at a moment of rest. */
export interface Sample extends Holdings {
  /** Milliseconds since the start of the load. */
  atMs: number;
}

/**
 * Share of the samples that counts as warm-up: code is compiled, caches and the inspector's ring of
 * 500 exchanges fill, and the pools reach their size.
 */
const WARM_UP_SHARE = 0.34;
/**
 * Rise of the heap that is no growth, in bytes. The inspector keeps 500 exchanges, failures with all
 * their fields and others without, so that the heap at rest goes up and down by about a megabyte
 * with what the last round happened to be. In 10 minutes, some 100 000 requests, 2 MiB are 20 bytes
 * a request: less than the smallest thing that could be forgotten once a request.
 */
export const HEAP_ALLOWANCE_BYTES = 2 * 1024 * 1024;

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
