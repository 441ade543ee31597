/** Which entries of a log belong to one exchange: by time and by what they name. */
import type { LogEntry } from './entry.ts';

/** Milliseconds that a server's clock may be off before its times mean nothing. */
const CLOCK_TOLERANCE_MS = 2000;

const API_SEGMENT = /\/(?:fhir|api|portal)(?:[/?]|$)/;

/** What is known about the exchange. */
export interface LogSelection {
  /** When the request was sent, by our clock, milliseconds since the epoch. */
  fromMs: number;
  /** When its answer came, or now. */
  toMs: number;
  /** Client id that the token request was for, or that the token belongs to. */
  clientId?: string;
  /** Scopes of the token request, as sent. */
  scope?: string;
  /** Request target that went to the upstream, with or without query. */
  path?: string;
  /** Server clock minus ours in milliseconds; corrects times of entries that no follower received. */
  clockDifferenceMs?: number;
}

/**
 * The entries that may belong to the exchange, in the order of the log. An entry counts by the time
 * at which it was received, else by its own. A line is left out whole when one of its messages names
 * another client, another path or a scope that was not asked for.
 */
export function selectEntries(
  entries: readonly LogEntry[],
  selection: LogSelection,
): readonly LogEntry[] {
  const inTime = entries.filter((entry) => fallsWithin(entry, selection));
  if (inTime.length === 0) return inTime;
  const foreign = new Set(
    inTime.filter((entry) => namesAnother(entry, selection)).map(({ line }) => line),
  );
  return foreign.size === 0 ? inTime : inTime.filter(({ line }) => !foreign.has(line));
}

function fallsWithin(entry: LogEntry, selection: LogSelection): boolean {
  const { fromMs, toMs, clockDifferenceMs = 0 } = selection;
  if (entry.receivedAtMs !== undefined) {
    return entry.receivedAtMs >= fromMs && entry.receivedAtMs <= toMs;
  }
  if (entry.timeMs === undefined) return false;
  const timeMs = entry.timeMs - clockDifferenceMs;
  return timeMs >= fromMs - CLOCK_TOLERANCE_MS && timeMs <= toMs + CLOCK_TOLERANCE_MS;
}

function namesAnother(entry: LogEntry, { clientId, scope, path }: LogSelection): boolean {
  if (clientId !== undefined) {
    const named = member(entry, 'client', 'client_id', 'clientId');
    if (named !== undefined && named !== clientId) return true;
  }
  if (path !== undefined) {
    const named = member(entry, 'resource', 'path', 'route', 'requestPath');
    if (named !== undefined && API_SEGMENT.test(named) && belowApi(named) !== belowApi(path)) {
      return true;
    }
  }
  if (scope !== undefined && /invalid scope/.test(entry.message)) {
    const named = member(entry, 'scope');
    if (named !== undefined && !scope.includes(named)) return true;
  }
  return false;
}

/** The first member of the context that is there and not empty; read from the text when the line was cut. */
function member(entry: LogEntry, ...names: string[]): string | undefined {
  for (const name of names) {
    const value =
      entry.context === undefined
        ? new RegExp(`"${name}":"([^"]*)"`).exec(entry.text)?.[1]
        : entry.context[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/**
 * OpenEMR names paths in several ways: `/apis/dispatch.php/default/fhir/Patient`,
 * `/default/fhir/Patient`, `/fhir/Patient`. What they share starts at the API's segment.
 */
function belowApi(path: string): string {
  const plain = path.replace(/[?#].*/s, '').replace(/^https?:\/\/[^/]*/, '');
  const at = plain.search(API_SEGMENT);
  return (at === -1 ? plain : plain.slice(at)).replaceAll('%24', '$');
}
