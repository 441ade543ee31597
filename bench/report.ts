/** The results as Markdown: what was measured, on what, and which budget is met. */
import os from 'node:os';

import { DIRECT, OURS, type Peer } from './peer.ts';
import type { ColdResult } from './scenarios/cold.ts';
import type { RenewalResult } from './scenarios/renewal.ts';
import type { StartupResult } from './scenarios/startup.ts';
import type { Throughput, ThroughputResult } from './scenarios/throughput.ts';
import type { TransferResult } from './scenarios/transfer.ts';

/** Everything that a run found out; what was not asked for is missing. */
export interface Results {
  throughput: { scenario: Throughput; results: ThroughputResult[] }[];
  down?: { bytes: number; results: TransferResult[] };
  up?: { bytes: number; results: TransferResult[] };
  cold?: ColdResult;
  renewal?: RenewalResult;
  startup?: StartupResult;
}

/** How the run was made. */
export interface Circumstances {
  command: string;
  upstream: string;
  loadTool: string;
  rounds: number;
  seconds: number;
  peers: readonly Peer[];
  /** Peers that could not be measured, with the reason. */
  missing: readonly { name: string; reason: string }[];
}

const MIB = 2 ** 20;

export function buildReport(results: Results, circumstances: Circumstances): string {
  return [
    '# Benchmark',
    ...machine(circumstances),
    ...results.throughput.flatMap(({ scenario, results }) => [
      `## ${scenario.title}`,
      throughputTable(results),
    ]),
    ...(results.down
      ? [
          `## ${results.down.bytes / MIB} MiB NDJSON down, a link in each fourth line`,
          transferTable(results.down.results),
        ]
      : []),
    ...(results.up
      ? [`## ${results.up.bytes / MIB} MiB up`, transferTable(results.up.results)]
      : []),
    ...ownScenarios(results),
    ...(results.throughput.length > 0 ? ['## Budgets', budgetTable(results)] : []),
  ]
    .join('\n\n')
    .concat('\n');
}

function machine(circumstances: Circumstances): string[] {
  const { command, upstream, loadTool, rounds, seconds, peers, missing } = circumstances;
  const [cpu] = os.cpus();
  return [
    `${new Date().toISOString().slice(0, 10)}, \`${command}\`, Node ${process.version}, ${os.type()} ${os.release()}, ` +
      `${os.cpus().length} × ${cpu?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB.`,
    `Upstream: ${upstream}. Load: ${loadTool}, ${seconds} s a round, ${rounds} rounds, peers interleaved; medians. ` +
      'Client, peer and upstream share the machine, so figures compare within one table only. ' +
      'Every peer keeps its connections open unless its defaults do not, and adds the Authorization field, without which the upstream answers 401.',
    table(
      ['peer', 'version', ''],
      peers
        .filter(({ name }) => name !== DIRECT)
        .map(({ name, version = '', note }) => [name, version, note]),
      [false, false, false],
    ),
    ...(missing.length > 0
      ? [`Not measured: ${missing.map(({ name, reason }) => `${name} (${reason})`).join(', ')}.`]
      : []),
  ];
}

function throughputTable(results: readonly ThroughputResult[]): string {
  const own = results.find(({ peer }) => peer.name === OURS)?.requestsPerSecond;
  return table(
    ['peer', 'requests/s', 'ours is', 'p50 ms', 'p99 ms', 'CPU s / 10,000', 'errors'],
    byRate(results, ({ requestsPerSecond }) => requestsPerSecond).map((one) => [
      mark(one.peer.name),
      whole(one.requestsPerSecond),
      own === undefined ? '' : `${(own / one.requestsPerSecond).toFixed(2)} ×`,
      one.p50Ms.toFixed(2),
      one.p99Ms.toFixed(2),
      one.cpuSeconds === undefined ? '' : one.cpuSeconds.toFixed(2),
      String(one.errors),
    ]),
  );
}

function transferTable(results: readonly TransferResult[]): string {
  const direct = results.find(({ peer }) => peer.name === DIRECT)?.mibPerSecond;
  return table(
    ['peer', 'MiB/s', 'of direct', 'memory grows by MiB', 'error'],
    byRate(results, ({ mibPerSecond }) => mibPerSecond).map((one) => [
      mark(one.peer.name),
      Number.isNaN(one.mibPerSecond) ? '' : whole(one.mibPerSecond),
      direct === undefined || Number.isNaN(one.mibPerSecond)
        ? ''
        : (one.mibPerSecond / direct).toFixed(2),
      one.growthMiB === undefined ? '' : whole(Math.max(0, one.growthMiB)),
      one.error ?? '',
    ]),
  );
}

function ownScenarios({ cold, renewal, startup }: Results): string[] {
  const lines: string[] = [];
  if (cold) {
    const others = Object.entries(cold.others).map(([what, count]) => `${count} × ${what}`);
    lines.push(
      `- ${whole(cold.requests)} requests at once on a cold proxy: ${cold.tokenRequests} token requests, ` +
        `${whole(cold.answered200)} answered with 200${others.length > 0 ? `, ${others.join(', ')}` : ''}, ${cold.seconds.toFixed(1)} s.`,
    );
  }
  if (renewal) {
    const { atRenewal, elsewhere } = renewal;
    const told = (one: RenewalResult['atRenewal']) =>
      `p50 ${one.p50Ms.toFixed(2)}, p99.9 ${one.p999Ms.toFixed(1)}, max ${one.maxMs.toFixed(1)} ms (${whole(one.requests)} requests)`;
    lines.push(
      `- ${renewal.seconds} s of steady load, token life 5 s: ${renewal.renewals} renewals, ${renewal.failed} failed requests, ` +
        `${renewal.refusedByUpstream} 401s from the upstream. At renewals ${told(atRenewal)}; elsewhere ${told(elsewhere)}.`,
    );
  }
  if (startup) {
    const idle =
      startup.idleMiB === undefined ? '' : `; idle it holds ${whole(startup.idleMiB)} MiB`;
    lines.push(
      `- Ready ${whole(startup.readyMs)} ms after its start (median of ${startup.starts})${idle}.`,
    );
  }
  return lines.length === 0 ? [] : [`## ${OURS} alone`, lines.join('\n')];
}

function budgetTable(results: Results): string {
  const rows: string[][] = [];
  const add = (what: string, budget: string, measured: string, met: boolean) =>
    rows.push([what, budget, measured, met ? 'met' : '**not met**']);
  addThroughputBudgets(results, add);
  const { down, cold, renewal, startup } = results;
  const own = down?.results.find(({ peer }) => peer.name === OURS);
  const direct = down?.results.find(({ peer }) => peer.name === DIRECT);
  if (own && direct) {
    const part = own.mibPerSecond / direct.mibPerSecond;
    add('NDJSON down, rate', 'at least 0.5 of direct', part.toFixed(2), part >= 0.5);
    if (own.growthMiB !== undefined) {
      add('NDJSON down, memory', 'at most 64 MiB more', whole(own.growthMiB), own.growthMiB <= 64);
    }
  }
  if (cold) {
    add('cold requests', '1 token request', String(cold.tokenRequests), cold.tokenRequests === 1);
  }
  if (renewal) {
    const seen = renewal.failed + renewal.refusedByUpstream;
    add('renewals', 'no 401, none fails', String(seen), seen === 0);
  }
  if (startup) {
    add('start to ready', '300 ms', whole(startup.readyMs), startup.readyMs <= 300);
    if (startup.idleMiB !== undefined) {
      add('idle memory', '90 MiB', whole(startup.idleMiB), startup.idleMiB <= 90);
    }
  }
  return table(['what', 'budget', 'measured', ''], rows, [false, false, false, false]);
}

const TO_BEAT = ['caddy', '@fastify/http-proxy', 'kubectl proxy', 'http-proxy, keep-alive'];

function addThroughputBudgets(
  { throughput }: Results,
  add: (what: string, budget: string, measured: string, met: boolean) => void,
): void {
  const at = (connections: number, name: string) =>
    throughput
      .find(
        ({ scenario }) => scenario.connections === connections && scenario.path === '/Patient/1',
      )
      ?.results.find(({ peer }) => peer.name === name);
  const own = at(32, OURS);
  if (own === undefined) return;
  for (const name of TO_BEAT) {
    const other = at(32, name);
    if (other === undefined) continue;
    const ratio = own.requestsPerSecond / other.requestsPerSecond;
    add(`2 kB, 32 connections, against ${name}`, 'ahead', `${ratio.toFixed(2)} ×`, ratio > 1);
  }
  const nginx = at(32, 'nginx');
  if (nginx) {
    const ratio = own.requestsPerSecond / nginx.requestsPerSecond;
    add('2 kB, 32 connections, against nginx', '0.5 ×', `${ratio.toFixed(2)} ×`, ratio >= 0.5);
  }
  const [one, nginxOne, direct] = [at(1, OURS), at(1, 'nginx'), at(1, DIRECT)];
  if (one && nginxOne && direct) {
    const [ours, theirs] = [one.p50Ms - direct.p50Ms, nginxOne.p50Ms - direct.p50Ms];
    add(
      'added p50 at one connection',
      '2 × what nginx adds',
      `${ours.toFixed(3)} ms, nginx ${theirs.toFixed(3)} ms`,
      ours <= 2 * theirs,
    );
  }
}

/** Fastest first. */
function byRate<T>(results: readonly T[], rate: (one: T) => number): T[] {
  return [...results].sort((a, b) => (rate(b) || 0) - (rate(a) || 0));
}

function mark(name: string): string {
  return name === OURS ? `**${name}**` : name;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** @param right whether each column is set to the right; default: all but the first */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[] = head.map((_, i) => i > 0),
): string {
  const widths = head.map((text, i) =>
    Math.max(3, text.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => '-'.repeat(width - 1) + (right[i] ? ':' : '-'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
