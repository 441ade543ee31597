/** What the soak counts. */
import type { CallEnd } from './client.ts';
import type { Fault } from './scenario.ts';

/** Counts of a soak. */
export interface Tally {
  calls: number;
  byKind: Map<string, number>;
  byStatus: Map<number, number>;
  /** Answers and errors that the fault which was on explains, by fault and what it was. */
  explained: Map<string, number>;
  /** Clients that went away, as they meant to. */
  left: number;
  /** What nothing explains, by what it was. */
  unexplained: Map<string, number>;
  reloads: number;
  faultsPlayed: number;
  longestRecoveryMs: number;
}

/** Nothing counted yet. */
export function createTally(): Tally {
  return {
    calls: 0,
    byKind: new Map(),
    byStatus: new Map(),
    explained: new Map(),
    left: 0,
    unexplained: new Map(),
    reloads: 0,
    faultsPlayed: 0,
    longestRecoveryMs: 0,
  };
}

/** Notes the end of a call. @param fault the one that was on while it was made */
export function noteCall(
  tally: Tally,
  kind: string,
  { status, error }: CallEnd,
  expected: readonly number[],
  fault: Fault | undefined,
): void {
  tally.calls += 1;
  increment(tally.byKind, kind);
  increment(tally.byStatus, status);
  if (error === 'left') {
    tally.left += 1;
    return;
  }
  if (error === undefined && expected.includes(status)) return;
  const what = error === undefined ? String(status) : `${error} (${status})`;
  if (fault !== undefined && isExplained(fault, status, error)) {
    increment(tally.explained, `${fault.name}: ${what}`);
  } else increment(tally.unexplained, `${kind}: ${what} under "${fault?.name ?? 'no fault'}"`);
}

function isExplained({ statuses, breaks }: Fault, status: number, error: string | undefined) {
  if (error === undefined) return statuses.includes(status);
  return breaks === true && (error === 'cut' || error === 'ECONNRESET');
}

/** One more of these. */
export function increment<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
