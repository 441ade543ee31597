import type { Exchange, WireRecord } from '../base/contracts.ts';
import { createBodyStore } from './bodies.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { createUsedScopes, type UsedScopes } from './used-scopes.ts';

/** How to record. */
export interface RecorderOptions {
  /** Most exchanges kept; default 500. */
  capacity?: number;
  /** Whether bodies are kept too, and everything may be shown but credentials; default false. */
  showValues?: boolean;
  /** How often subscribers are told, in milliseconds; default 150. */
  notifyEveryMs?: number;
  /** Milliseconds since the epoch; default `Date.now`. */
  now?: () => number;
}

/** What a subscriber is told. */
export interface RecorderChange {
  /** Exchanges that began or ended since the last change, oldest first. */
  exchanges: readonly Exchange[];
  /** Whether everything before was forgotten. */
  cleared: boolean;
}

/** Keeps the newest exchanges in memory, and nothing on disk. */
export interface Recorder {
  readonly showValues: boolean;
  /** The record of what goes over the wire, for `exchange.wire`: references only, nothing is copied. */
  openWire(target: string, received: readonly string[]): WireRecord;
  /** Call when an exchange that is to be shown has arrived; not for the proxy's own paths. */
  started(exchange: Exchange): void;
  /** Call when such an exchange has ended. */
  finished(exchange: Exchange): void;
  /** The kept exchanges, oldest first. */
  list(): Exchange[];
  find(id: string): Exchange | undefined;
  /** Forgets the kept exchanges. */
  clear(): void;
  /** Calls the listener from now on, at most every `notifyEveryMs`; returns the function that ends it. */
  subscribe(listener: (change: RecorderChange) => void): () => void;
  /** Requests, errors and durations of the last 15 minutes. */
  readonly traffic: Traffic;
  readonly usedScopes: UsedScopes;
}

/** More than this many exchanges a second are too many for a person to read. */
const BUSY_PER_SECOND = 50;
/** Most successful exchanges of a second that are kept at all while nobody looks. */
const MOST_PER_SECOND = 200;

/**
 * Creates the recorder. What is kept outlives several rounds of the garbage collector, which makes
 * it the one thing that costs: at full load the fields of 500 exchanges added a tenth to the CPU
 * time of a request, and the exchanges without them 4 %. So while nobody looks, successful
 * exchanges are kept without their fields when more than 50 a second come, and of more than 200 a
 * second only the first 200; then the list also reaches back seconds instead of an instant.
 * Failures are kept always. Without subscribers an exchange costs two array writes and the
 * additions of {@link Traffic} and {@link UsedScopes}.
 */
export function createRecorder(options: RecorderOptions = {}): Recorder {
  const { capacity = 500, showValues = false, notifyEveryMs = 150, now = Date.now } = options;
  let ring: Exchange[] = [];
  let oldest = 0;
  const traffic = createTraffic(now);
  const usedScopes = createUsedScopes();
  const notifier = createNotifier(notifyEveryMs, capacity);
  const pace = createPace();
  const keep = (exchange: Exchange): void => {
    if (ring.length < capacity) ring.push(exchange);
    else {
      ring[oldest] = exchange;
      oldest = oldest + 1 === capacity ? 0 : oldest + 1;
    }
  };

  return {
    showValues,
    traffic,
    usedScopes,
    openWire: (target, received) =>
      showValues ? { target, received, bodies: createBodyStore() } : { target, received },
    started(exchange) {
      const { wire } = exchange;
      if (pace.count(exchange) > MOST_PER_SECOND && wire && !notifier.hasListeners()) {
        wire.leftOut = true;
        return;
      }
      keep(exchange);
      notifier.changed(exchange);
    },
    finished(exchange) {
      traffic.add(exchange);
      usedScopes.add(exchange);
      if (exchange.wire?.leftOut === true) {
        if (hasSucceeded(exchange)) return;
        keep(exchange);
      }
      if (pace.isBusy() && !notifier.hasListeners()) dropFields(exchange);
      cutFields(exchange);
      notifier.changed(exchange);
    },
    list: () => [...ring.slice(oldest), ...ring.slice(0, oldest)],
    find: (id) => ring.find((exchange) => exchange.id === id),
    clear() {
      ring = [];
      oldest = 0;
      notifier.cleared();
    },
    subscribe: (listener) => notifier.subscribe(listener),
  };
}

/** Counts the exchanges of each second. */
function createPace() {
  let second = 0;
  let inSecond = 0;
  let before = 0;
  return {
    /** Which of its second the exchange is, from 1. */
    count({ startedAtMs }: Exchange): number {
      const now = Math.floor(startedAtMs / 1000);
      if (now > second) {
        before = now === second + 1 ? inSecond : 0;
        second = now;
        inSecond = 0;
      }
      inSecond += 1;
      return inSecond;
    },
    /** Whether this second or the last one has had too many exchanges for a person. */
    isBusy: () => inSecond > BUSY_PER_SECOND || before > BUSY_PER_SECOND,
  };
}

function hasSucceeded({ outcome, status }: Exchange): boolean {
  return outcome === 'forwarded' && status < 400;
}

/** Lets go of what is long, unless it may be needed to explain a failure. */
function dropFields(exchange: Exchange): void {
  const { wire } = exchange;
  if (wire === undefined || wire.bodies !== undefined) return;
  if (hasSucceeded(exchange)) exchange.wire = { target: wire.target };
}

/** Most characters that are kept of each list of fields of an exchange. */
const LONGEST_FIELDS = 16_384;

/** Long lists of fields are cut: five hundred exchanges are kept, and are shown together. */
function cutFields({ wire }: Exchange): void {
  if (wire === undefined) return;
  for (const list of ['received', 'sent', 'returned'] as const) {
    const fields = wire[list];
    if (fields !== undefined) wire[list] = firstFields(fields);
  }
}

function firstFields(fields: readonly string[]): readonly string[] {
  let length = 0;
  for (let i = 0; i < fields.length; i += 2) {
    length += fields[i]!.length + (fields[i + 1]?.length ?? 0);
    if (length > LONGEST_FIELDS) return fields.slice(0, i);
  }
  return fields;
}

/** Gathers changes, so that many exchanges make few calls. */
function createNotifier(everyMs: number, capacity: number) {
  const listeners = new Set<(change: RecorderChange) => void>();
  let changed = new Set<Exchange>();
  let cleared = false;
  let timer: NodeJS.Timeout | undefined;

  function notify(): void {
    timer = undefined;
    const change = { exchanges: [...changed].slice(-capacity), cleared };
    changed = new Set();
    cleared = false;
    for (const listener of listeners) listener(change);
  }

  return {
    changed(exchange: Exchange) {
      if (listeners.size === 0) return;
      changed.add(exchange);
      if (changed.size > 4 * capacity) changed = new Set([...changed].slice(-capacity));
      timer ??= setTimeout(notify, everyMs);
    },
    hasListeners: () => listeners.size > 0,
    cleared() {
      changed = new Set();
      cleared = true;
      if (listeners.size > 0) timer ??= setTimeout(notify, everyMs);
    },
    subscribe(listener: (change: RecorderChange) => void) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
        changed = new Set();
        cleared = false;
      };
    },
  };
}
