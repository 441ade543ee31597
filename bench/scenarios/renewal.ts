/** Steady load while tokens of five seconds die and are renewed: does any request wait or fail? */
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import { startOurs } from '../ours.ts';
import { type Counters, startNodeUpstream } from '../upstream.ts';

export interface RenewalResult {
  seconds: number;
  requests: number;
  /** Requests that were not answered with 200, as the client saw it. */
  failed: number;
  /** 401s that the upstream gave: a dead token was used. */
  refusedByUpstream: number;
  renewals: number;
  /** Around a renewal: from its token request until 250 ms after the answer. */
  atRenewal: Latency;
  elsewhere: Latency;
}

export interface Latency {
  requests: number;
  p50Ms: number;
  p999Ms: number;
  maxMs: number;
}

interface Sample {
  /** When it was due, milliseconds since the epoch. */
  atMs: number;
  tookMs: number;
  ok: boolean;
}

const TOKEN_LIFE_SECONDS = 5;
const TOKEN_DELAY_MS = 300;
const AFTER_MS = 250;
const TICK_MS = 10;
const WARM_UP_MS = 1500;

export async function measureRenewal(
  seconds: number,
  requestsPerSecond: number,
  folder: string,
  documents: Parameters<typeof startNodeUpstream>[0],
): Promise<RenewalResult> {
  const upstream = await startNodeUpstream(documents, {
    tokenLifeSeconds: TOKEN_LIFE_SECONDS,
    tokenDelayMs: TOKEN_DELAY_MS,
  });
  const { base, running } = await startOurs({
    upstream: upstream.origin,
    tokenEndpoint: `${upstream.origin}/oauth2/default/token`,
    folder,
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  try {
    const url = `${base}/Patient/1`;
    // A young process is slow for reasons that have nothing to do with tokens.
    await steadyLoad(url, agent, WARM_UP_MS, requestsPerSecond);
    const before = await upstream.stats();
    const startedAtMs = Date.now();
    const samples = await steadyLoad(url, agent, seconds * 1000, requestsPerSecond);
    const after = await upstream.stats();
    return summarize(samples, before, after, startedAtMs, seconds);
  } finally {
    agent.destroy();
    await running?.stop();
    await upstream.stop();
  }
}

/** Sends at fixed times whether or not answers come, and counts latency from when each was due. */
async function steadyLoad(
  url: string,
  agent: http.Agent,
  milliseconds: number,
  requestsPerSecond: number,
): Promise<Sample[]> {
  const samples: Promise<Sample>[] = [];
  const startedAt = performance.now();
  const epoch = Date.now() - startedAt;
  const perTick = (requestsPerSecond * TICK_MS) / 1000;
  for (let tick = 0; tick * TICK_MS < milliseconds; tick += 1) {
    const due = startedAt + tick * TICK_MS;
    const wait = due - performance.now();
    if (wait > 0) await delay(wait);
    for (let i = 0; i < perTick; i += 1) samples.push(ask(url, agent, performance.now(), epoch));
  }
  return Promise.all(samples);
}

async function ask(url: string, agent: http.Agent, due: number, epoch: number): Promise<Sample> {
  return new Promise((resolve) => {
    const done = (ok: boolean) =>
      resolve({ atMs: epoch + due, tookMs: performance.now() - due, ok });
    http
      .get(url, { agent }, (response) => {
        response.resume();
        response.on('end', () => done(response.statusCode === 200));
        response.on('error', () => done(false));
      })
      .on('error', () => done(false));
  });
}

function summarize(
  samples: readonly Sample[],
  before: Counters,
  after: Counters,
  startedAtMs: number,
  seconds: number,
): RenewalResult {
  const renewals = after.tokenRequests.filter(({ atMs }) => atMs >= startedAtMs);
  const during = ({ atMs, tookMs }: Sample) =>
    renewals.some(
      (one) => atMs + tookMs >= one.atMs && atMs <= (one.answeredAtMs || Infinity) + AFTER_MS,
    );
  return {
    seconds,
    requests: samples.length,
    failed: samples.filter(({ ok }) => !ok).length,
    refusedByUpstream: after.refused - before.refused,
    renewals: renewals.length,
    atRenewal: latency(samples.filter(during)),
    elsewhere: latency(samples.filter((sample) => !during(sample))),
  };
}

function latency(samples: readonly Sample[]): Latency {
  const sorted = samples.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { requests: sorted.length, p50Ms: at(0.5), p999Ms: at(0.999), maxMs: at(1) };
}
