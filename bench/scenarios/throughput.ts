/** Requests per second, latency and CPU time, round by round, peer after peer. */
import { type LoadResult, type LoadTool, runLoad } from '../load.ts';
import type { Peer, RunningPeer } from '../peer.ts';
import { readUsage } from '../processes.ts';

/** One kind of request at one number of connections. */
export interface Throughput {
  title: string;
  path: string;
  connections: number;
  bodyBytes: number;
}

/** Medians over the rounds. */
export interface ThroughputResult {
  peer: Peer;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU seconds that 10,000 requests take, all processes of the peer; undefined when not known. */
  cpuSeconds: number | undefined;
  /** Sum over the rounds. */
  errors: number;
}

export const THROUGHPUT: readonly Throughput[] = [
  { title: '2 kB JSON, 1 connection', path: '/Patient/1', connections: 1, bodyBytes: 0 },
  { title: '2 kB JSON, 32 connections', path: '/Patient/1', connections: 32, bodyBytes: 0 },
  { title: '2 kB JSON, 256 connections', path: '/Patient/1', connections: 256, bodyBytes: 0 },
  {
    title: '200 kB Bundle with 50 links, 32 connections',
    path: '/Observation',
    connections: 32,
    bodyBytes: 0,
  },
  { title: 'POST 10 kB, 32 connections', path: '/Patient', connections: 32, bodyBytes: 10_240 },
];

interface Round extends LoadResult {
  cpuSeconds: number | undefined;
}

export async function measureThroughput(
  scenario: Throughput,
  peers: readonly (RunningPeer & { peer: Peer })[],
  {
    tool,
    rounds,
    seconds,
    warmUpSeconds,
  }: { tool: LoadTool; rounds: number; seconds: number; warmUpSeconds: number },
): Promise<ThroughputResult[]> {
  const results = new Map<Peer, Round[]>(peers.map(({ peer }) => [peer, []]));
  // Compilers need a while for code that was not run before.
  for (const { base, clientSendsToken } of peers) {
    const url = base + scenario.path;
    await runLoad(tool, { ...scenario, url, seconds: warmUpSeconds, withToken: clientSendsToken });
  }
  for (let round = 0; round < rounds; round += 1) {
    // Each round starts with another peer, so that none always follows the same one.
    for (let i = 0; i < peers.length; i += 1) {
      const { peer, base, running, clientSendsToken } = peers[
        (i + round) % peers.length
      ] as (typeof peers)[number];
      const load = {
        ...scenario,
        url: base + scenario.path,
        seconds,
        withToken: clientSendsToken,
      };
      const before = running && readUsage(running);
      const result = await runLoad(tool, load);
      const after = running && readUsage(running);
      const used = before && after ? after.cpuSeconds - before.cpuSeconds : undefined;
      results.get(peer)?.push({ ...result, cpuSeconds: used });
    }
  }
  return [...results].map(([peer, all]) => ({
    peer,
    requestsPerSecond: median(all.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
    cpuSeconds: all.every(({ cpuSeconds }) => cpuSeconds !== undefined)
      ? median(all.map(({ cpuSeconds = 0, requests }) => (cpuSeconds / requests) * 10_000))
      : undefined,
    errors: all.reduce((sum, { errors }) => sum + errors, 0),
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
