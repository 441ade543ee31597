/**
 * `npm run soak`: the built program under mixed load for minutes, with clients that misbehave and a
 * server that breaks and mends. Fails on growth, on an answer that nothing explains, on a secret
 * seen outside. What counts as growth stands in soak/growth.ts, what explains what in
 * soak/scenario.ts. `--snapshots FOLDER` writes heap snapshots there, after warm-up and at the end,
 * to see what has grown; they hold tokens and bodies of the load.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { createRandom } from '../support/random.ts';
import { parseNumberFlag } from './program/number-flag.ts';
import { startWorld, type World } from './program/world.ts';
import { findGrowth, findMoreHandles, WARM_UP_SHARE } from './soak/growth.ts';
import { readMetrics } from './soak/metrics-page.ts';
import { formatSoak } from './soak/report.ts';
import { faultsInTurn, runRound, type RoundTimes, type Soak } from './soak/rounds.ts';
import { createTally, increment } from './soak/tally.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    snapshots: { type: 'string' },
  },
});
const seed = parseNumberFlag('seed', values.seed, 0);
const seconds = parseNumberFlag('seconds', values.seconds, 1);
if (values.snapshots !== undefined) mkdirSync(values.snapshots, { recursive: true });

/** Long enough for a renewal or two in each part. */
const TOKEN_LIFETIME_SECONDS = 8;
const LONG_ROUND: RoundTimes = { calmMs: 8000, faultMs: 5000 };
const SHORT_ROUND: RoundTimes = { calmMs: 2500, faultMs: 2000 };
/** The server closes its idle connections after 5 s, the proxy its own sooner. */
const IDLE_MS = 12_000;

const tally = createTally();
const world = await startWorld({
  tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
  timeouts: { connectMs: 2000, headMs: 2000, idleMs: 2000, tokenMs: 2000 },
  onProblem: (route, problem) => increment(tally.unexplained, `${route.path}: ${problem}`),
  onLine(line) {
    if (!line.startsWith('{') || line.includes('"proxy_internal_error"')) {
      increment(tally.unexplained, `log line: ${line.slice(0, 200)}`);
    }
  },
});
const soak: Soak = {
  world,
  random: createRandom(seed),
  tally,
  patientIds: [...(await readPatientIds(world))],
  samples: [],
  failures: [],
};
process.exitCode = (await run()) ? 0 : 1;
await world.close();
process.exit();

async function run(): Promise<boolean> {
  const start = await lookAtRest();
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const times = seconds >= 300 ? LONG_ROUND : SHORT_ROUND;
  const faults = faultsInTurn(soak.random);
  let isWarm = false;
  for (let round = 0; performance.now() < endAt && soak.failures.length === 0; round++) {
    const fault = faults.next().value;
    showProgress(round, fault.name, performance.now() - startedAt);
    await runRound(soak, round, fault, times, startedAt);
    const ended = world.program.ended();
    if (ended !== undefined) soak.failures.push(`the program ${ended}`);
    if (!isWarm && performance.now() - startedAt > WARM_UP_SHARE * seconds * 1000) {
      isWarm = true;
      await writeSnapshot('warm');
    }
  }
  await writeSnapshot('end');
  const lasted = (performance.now() - startedAt) / 1000;
  if (process.stderr.isTTY) process.stderr.write('\n');
  const metrics = await readMetrics(world);
  const end = await lookAtRest(start);
  judge(start, end);
  console.log(
    formatSoak(soak, {
      seed,
      seconds: lasted,
      metrics,
      sockets: { start: start.sockets, end: end.sockets },
      handles: { start: start.handles, end: end.handles },
    }),
  );
  return soak.failures.length === 0;
}

interface AtRest {
  sockets: readonly [number, number];
  handles: readonly string[];
}

function judge(start: AtRest, end: AtRest): void {
  const { failures } = soak;
  for (const [what, count] of tally.unexplained)
    failures.push(`unexplained, ${count} times: ${what}`);
  for (const { where, what, around } of world.leaks.leaks)
    failures.push(`${where} holds ${what}: ${around}`);
  const [clients, upstreams] = end.sockets;
  if (clients > start.sockets[0]) failures.push(`${clients} sockets of clients are left`);
  if (upstreams > start.sockets[1]) failures.push(`${upstreams} sockets to the server are left`);
  for (const kind of findMoreHandles(start.handles, end.handles)) failures.push(`handles: ${kind}`);
  failures.push(...findGrowth(soak.samples));
  if (world.strayConnections() > 0) failures.push('a connection to a host that is no upstream');
}

async function writeSnapshot(name: string): Promise<void> {
  const folder = values.snapshots;
  if (folder === undefined || world.program.ended() !== undefined) return;
  await world.program.writeSnapshot(resolve(folder, `${name}.heapsnapshot`));
}

/** Sockets of clients, and those to the server: as the program itself counts them. */
async function countSockets(
  handles: readonly string[],
): Promise<[clients: number, upstreams: number]> {
  // The one that asks is none of them, and is gone when the handles are counted.
  const clients = (await readMetrics(world)).clients - 1;
  const all = handles.filter((handle) => handle === 'TCPSocketWrap').length;
  return [clients, all - clients];
}

/**
 * What is held once idle connections have been closed. A file that is being read just now, as those
 * of the configuration are every few seconds, is not left over: only what stays is.
 *
 * @param before what was held at the start
 */
async function lookAtRest(before?: AtRest): Promise<AtRest> {
  const endAt = performance.now() + IDLE_MS;
  for (;;) {
    const { handles } = await world.program.holdings();
    const sockets = await countSockets(handles);
    const more = before === undefined ? [] : findMoreHandles(before.handles, handles);
    const isAtRest = sockets.every((count) => count === 0) && more.length === 0;
    if (isAtRest || performance.now() > endAt) return { sockets, handles };
    await delay(200);
  }
}

function showProgress(round: number, fault: string, ms: number): void {
  if (!process.stderr.isTTY) return;
  const seconds = Math.round(ms / 1000);
  const heap = soak.samples.at(-1)?.heapUsed ?? 0;
  process.stderr.write(
    `\r\u001b[K${seconds} s, round ${round + 1} (${fault}), ${tally.calls} requests, ${tally.unexplained.size} unexplained, heap ${(heap / 2 ** 20).toFixed(1)} MiB`,
  );
}

async function readPatientIds({ program, apiKey }: World): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${program.port}/fhir/Patient?_count=20`, {
    headers: { 'X-API-Key': apiKey, Connection: 'close' },
  });
  const { entry } = (await answer.json()) as { entry: { resource: { id: string } }[] };
  return entry.map(({ resource }) => resource.id);
}
