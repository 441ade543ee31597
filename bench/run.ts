/**
 * Measures the proxy and its peers side by side on this machine and writes results.md.
 * A benchmark, not a test: it fails only when something cannot be measured at all.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { findLoadTool } from './load.ts';
import { commandVersion, OURS, type Peer, type RunningPeer } from './peer.ts';
import { listPeers } from './peers.ts';
import { buildReport, type Circumstances, type Results } from './report.ts';
import { measureCold } from './scenarios/cold.ts';
import { measureRenewal } from './scenarios/renewal.ts';
import { measureStartup } from './scenarios/startup.ts';
import { measureThroughput, THROUGHPUT } from './scenarios/throughput.ts';
import { measureTransfer } from './scenarios/transfer.ts';
import { freePort, startNginxUpstream, startNodeUpstream, writeDocuments } from './upstream.ts';

const GROUPS = ['throughput', 'down', 'up', 'cold', 'renewal', 'startup'] as const;
const MIB = 2 ** 20;

const { values: flags } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    peers: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('results.md', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`npm run bench -- [options]

  --smoke          a few seconds, small bodies, few peers; prints, writes nothing
  --rounds N       rounds of each throughput scenario (5)
  --seconds N      length of a round in seconds (3)
  --peers A,B      only the peers whose names contain one of these, and ours
  --only A,B       only these groups: ${GROUPS.join(', ')}
  --out FILE       where to write the tables (bench/results.md)`);
} else {
  await main();
}

async function main(): Promise<void> {
  const { smoke } = flags;
  const rounds = Number(flags.rounds ?? (smoke ? 1 : 5));
  const seconds = Number(flags.seconds ?? (smoke ? 1 : 3));
  const groups: readonly string[] = flags.only?.split(',') ?? [...GROUPS];
  const folder = mkdtempSync(join(tmpdir(), 'fhir-auth-proxy-bench-'));
  const stops: (() => Promise<void>)[] = [];
  try {
    const tool = await findLoadTool();
    const place = await startUpstream(folder, smoke ? 16 * MIB : 1024 * MIB, stops);
    const { node: nodeUpstream } = place;
    const context = {
      upstream: place.origin,
      tokenEndpoint: `${nodeUpstream.origin}/oauth2/default/token`,
      folder,
    };
    const sideBySide = ['throughput', 'down', 'up'].some((group) => groups.includes(group));
    const chosen = choosePeers(smoke).filter(({ name }) => sideBySide || name === OURS);
    const { peers, running, missing } = await startPeers(chosen, context, stops);
    const results: Results = { throughput: [] };

    if (groups.includes('throughput')) {
      for (const scenario of THROUGHPUT) {
        say(scenario.title);
        const measured = await measureThroughput(scenario, running, {
          tool,
          rounds,
          seconds,
          warmUpSeconds: smoke ? 1 : 4,
        });
        results.throughput.push({ scenario, results: measured });
      }
    }
    if (groups.includes('down')) {
      const bytes = place.documents.ndjsonBytes;
      say(`${bytes / MIB} MiB down`);
      const measured = await measureTransfer('down', bytes, running, smoke ? 1 : 2);
      results.down = { bytes, results: measured };
    }
    for (const { running: one } of running) await one?.stop();

    if (groups.includes('up')) {
      // nginx as an upstream answers before it has read a body; the Node server reads and counts it.
      const bytes = (smoke ? 8 : 100) * MIB;
      say(`${bytes / MIB} MiB up`);
      const uploads = await startPeers(peers, { ...context, upstream: nodeUpstream.origin }, stops);
      const measured = await measureTransfer('up', bytes, uploads.running, smoke ? 1 : 2);
      results.up = { bytes, results: measured };
      for (const { running: one } of uploads.running) await one?.stop();
    }
    if (peers.some(({ name }) => name === OURS)) {
      if (groups.includes('cold')) {
        say('cold requests at once');
        results.cold = await measureCold(smoke ? 500 : 10_000, folder, place.documents);
      }
      if (groups.includes('renewal')) {
        say('steady load across renewals');
        results.renewal = await measureRenewal(smoke ? 5 : 30, 1000, folder, place.documents);
      }
      if (groups.includes('startup')) {
        say('start to ready');
        results.startup = await measureStartup(smoke ? 2 : 9, context);
      }
    }
    publish(results, {
      command: `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`,
      upstream: place.name,
      loadTool: tool,
      rounds,
      seconds,
      peers,
      missing,
    });
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function publish(results: Results, circumstances: Circumstances): void {
  const report = buildReport(results, circumstances);
  console.log(`\n${report}`);
  if (!flags.smoke) writeFileSync(flags.out, report);
}

/** The upstream of the comparison, and the Node server that grants tokens; one server where there is no nginx. */
async function startUpstream(folder: string, ndjsonBytes: number, stops: (() => Promise<void>)[]) {
  const version = commandVersion('nginx', '-v');
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const root = join(folder, 'www');
  mkdirSync(root);
  const documents = writeDocuments(root, origin, ndjsonBytes);
  const rules = { tokenLifeSeconds: 300, tokenDelayMs: 0 };
  const node = await startNodeUpstream(documents, rules, version === undefined ? port : 0);
  stops.push(node.stop);
  if (version === undefined) return { origin, documents, node, name: 'a Node server' };
  const { stop } = await startNginxUpstream(folder, documents, port);
  stops.push(stop);
  return { origin, documents, node, name: `nginx ${version}, one worker` };
}

function choosePeers(smoke: boolean): Peer[] {
  const wanted =
    flags.peers?.split(',').filter((name) => name !== '') ??
    (smoke ? ['undici', 'fastify', 'no proxy'] : undefined);
  return listPeers().filter(
    ({ name }) => wanted === undefined || name === OURS || wanted.some((w) => name.includes(w)),
  );
}

async function startPeers(
  chosen: readonly Peer[],
  context: Parameters<Peer['start']>[0],
  stops: (() => Promise<void>)[],
) {
  const running: (RunningPeer & { peer: Peer })[] = [];
  const missing: { name: string; reason: string }[] = [];
  for (const peer of chosen) {
    if (peer.version === undefined) {
      missing.push({ name: peer.name, reason: 'not here' });
      continue;
    }
    try {
      const started = await peer.start(context);
      if (started.running) stops.push(started.running.stop);
      running.push({ ...started, peer });
    } catch (error) {
      if (peer.name === OURS) throw error;
      console.error((error as Error).message);
      missing.push({ name: peer.name, reason: 'did not start' });
    }
  }
  return { peers: running.map(({ peer }) => peer), running, missing };
}

function say(what: string): void {
  console.error(`… ${what}`);
}
