import type { Exchange } from '../base/contracts.ts';

/** Length of a point in milliseconds. */
export const POINT_MS = 10_000;
/** Points kept: 15 minutes. */
export const POINTS = 90;

/** What happened within one point of time. */
export interface TrafficPoint {
  /** Start of the point, milliseconds since the epoch; a multiple of {@link POINT_MS}. */
  atMs: number;
  requests: number;
  /** Answers with a 4xx status. */
  clientErrors: number;
  /** 5xx, and exchanges that ended without an answer. */
  serverErrors: number;
  /** Median and 95th percentile of the whole duration, in milliseconds (to about 9 %); absent without requests. */
  p50Ms?: number;
  p95Ms?: number;
}

/** Requests, errors and durations of the last 15 minutes. */
export interface Traffic {
  add(exchange: Exchange): void;
  /** The points until now, oldest first; always {@link POINTS} of them. */
  points(): TrafficPoint[];
  /** Exchanges added since the start of the process. */
  readonly totals: { requests: number; clientErrors: number; serverErrors: number };
}

/** Durations fall into buckets that grow by a fourth root of two each, from 0.05 ms on. */
const BUCKETS = 96;
const STEPS_PER_DOUBLING = 4;
const SMALLEST_MS = 0.05;

interface Slot {
  point: number;
  requests: number;
  clientErrors: number;
  serverErrors: number;
  durations: Uint32Array;
}

/** @param now milliseconds since the epoch */
export function createTraffic(now: () => number): Traffic {
  const slots: Slot[] = Array.from({ length: POINTS }, () => ({
    point: -1,
    requests: 0,
    clientErrors: 0,
    serverErrors: 0,
    durations: new Uint32Array(BUCKETS),
  }));
  const totals = { requests: 0, clientErrors: 0, serverErrors: 0 };

  /** The slot of a point, or undefined when a newer point has taken it. */
  function slotOf(point: number): Slot | undefined {
    const slot = slots[point % POINTS] as Slot;
    if (slot.point < point) {
      slot.point = point;
      slot.requests = 0;
      slot.clientErrors = 0;
      slot.serverErrors = 0;
      slot.durations.fill(0);
    }
    return slot.point === point ? slot : undefined;
  }

  return {
    totals,
    add(exchange) {
      const totalMs = exchange.timings.totalMs ?? 0;
      const slot = slotOf(Math.floor((exchange.startedAtMs + totalMs) / POINT_MS));
      if (slot !== undefined) addDuration(slot, totalMs);
      for (const counts of slot === undefined ? [totals] : [totals, slot]) {
        counts.requests += 1;
        if (isServerError(exchange)) counts.serverErrors += 1;
        else if (exchange.status >= 400) counts.clientErrors += 1;
      }
    },
    points() {
      const last = Math.floor(now() / POINT_MS);
      return Array.from({ length: POINTS }, (_, index) => {
        const point = last - POINTS + 1 + index;
        const slot = slots[point % POINTS] as Slot;
        return slot.point === point ? toPoint(slot) : emptyPoint(point);
      });
    },
  };
}

function addDuration({ durations }: Slot, ms: number): void {
  const bucket = bucketOf(ms);
  durations[bucket] = (durations[bucket] ?? 0) + 1;
}

function isServerError({ status, outcome }: Exchange): boolean {
  if (status >= 500 || outcome === 'upstream-died' || outcome === 'not-fhir') return true;
  return status === 0 && outcome === 'failed';
}

function emptyPoint(point: number): TrafficPoint {
  return { atMs: point * POINT_MS, requests: 0, clientErrors: 0, serverErrors: 0 };
}

function toPoint(slot: Slot): TrafficPoint {
  const { point, requests, clientErrors, serverErrors, durations } = slot;
  const quantile = (share: number) => {
    const rank = Math.ceil(requests * share);
    let seen = 0;
    const bucket = durations.findIndex((count) => (seen += count) >= rank);
    return middleOf(bucket);
  };
  return {
    atMs: point * POINT_MS,
    requests,
    clientErrors,
    serverErrors,
    ...(requests === 0 ? {} : { p50Ms: quantile(0.5), p95Ms: quantile(0.95) }),
  };
}

function bucketOf(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms / SMALLEST_MS) * STEPS_PER_DOUBLING));
}

function middleOf(bucket: number): number {
  const ms = SMALLEST_MS * 2 ** ((bucket - 0.5) / STEPS_PER_DOUBLING);
  return Number(ms.toPrecision(3));
}
