/** The fuzz run: batches of inputs against the built program, and what must hold after each. */
import { createRandom } from '../../support/random.ts';
import { openEventStream } from '../program/event-stream.ts';
import { startWorld, type World } from '../program/world.ts';
import { buildCorpus } from './corpus.ts';
import { exchangeBytes } from './exchange-bytes.ts';
import { findFaults } from './judge.ts';
import { buildInput, type FuzzInput } from './mutate.ts';

/** What a run is asked for. */
export interface FuzzOptions {
  seed: number;
  /** Number of the first input; each follows from the seed and its number alone. */
  first?: number;
  /** Inputs to try at most; default no limit. */
  inputs?: number;
  /** Seconds after which no batch is begun; default no limit. */
  seconds?: number;
  onProgress?: (report: FuzzReport) => void;
}

/** What a run has seen. */
export interface FuzzReport {
  inputs: number;
  /** Inputs that an operator had a part in. */
  operators: Map<string, number>;
  /** Answers by status; 0: the connection was closed without one. */
  statuses: Map<number, number>;
  /** Refusals by code, as the log tells them. */
  refusals: Map<string, number>;
  /** Requests that reached the upstream of a route. */
  reached: number;
  bytesLookedAt: number;
  /** What must not be; empty when all is well. */
  failures: string[];
  /** Numbers of the first input of the batch that failed, and of the one after its last. */
  failedBatch?: readonly [first: number, end: number];
}

const BATCH = 512;
const CONCURRENCY = 48;
/** Each input has a seed of its own: far apart, so that two runs share none. */
const SEED_STEP = 0x9e3779b1;

/** Runs until the time or the inputs are used up, or something fails. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, first = 0, inputs = Infinity, seconds = Infinity, onProgress } = options;
  const report: FuzzReport = {
    inputs: 0,
    operators: new Map(),
    statuses: new Map(),
    refusals: new Map(),
    reached: 0,
    bytesLookedAt: 0,
    failures: [],
  };
  const world = await startFuzzWorld(report);
  try {
    const corpus = buildCorpus(await describePlaces(world));
    const stray = new URL(world.strayOrigin).host;
    const leave = openEventStream(world);
    const endAt = performance.now() + seconds * 1000;
    let next = first;
    while (report.failures.length === 0 && report.inputs < inputs && performance.now() < endAt) {
      const count = Math.min(BATCH, inputs - report.inputs);
      const batch = Array.from({ length: count }, (_, index) =>
        buildInput(corpus, createRandom(seed + (next + index) * SEED_STEP), stray),
      );
      await sendBatch(batch, world, report);
      await assertWell(world, report);
      if (report.failures.length > 0) report.failedBatch = [next, next + count];
      next += count;
      onProgress?.(report);
    }
    leave();
  } finally {
    await world.close();
  }
  return report;
}

async function startFuzzWorld(report: FuzzReport): Promise<World> {
  const world: World = await startWorld({
    tokenLifetimeSeconds: 60,
    timeouts: { connectMs: 2000, headMs: 5000, idleMs: 5000, tokenMs: 5000 },
    listen: { limits: { headersMs: 2000, requestMs: 4000 } },
    onRequest(route, request) {
      report.reached += 1;
      for (const fault of findFaults(request, route, world.basePath)) {
        report.failures.push(
          `${fault}, on its way from ${route.path}:\n${cover(request.head)}\n${request.body.slice(0, 300)}`,
        );
      }
    },
    onProblem: (route, problem) =>
      report.failures.push(`towards the upstream of ${route.path}: ${cover(problem)}`),
    onLine: (line) => readLine(line, report),
  });
  return world;
}

/** Credentials are nothing for a terminal. */
function cover(text: string): string {
  return text.replaceAll(/Bearer [\w.-]+/g, 'Bearer […]');
}

function readLine(line: string, { refusals, failures }: FuzzReport): void {
  try {
    const { msg = '', outcome, error, code } = JSON.parse(line) as Record<string, string>;
    if (outcome === 'refused') increment(refusals, error ?? 'none');
    else if (msg.startsWith('refused: ')) increment(refusals, `${code ?? 'none'} (parser)`);
    if (error === 'proxy-internal-error' || error === 'proxy_internal_error')
      failures.push(`an internal error: ${line}`);
  } catch {
    failures.push(`a log line that is no JSON: ${JSON.stringify(line)}`);
  }
}

async function describePlaces(world: World) {
  const { program, apiKey, strayOrigin } = world;
  const text = await ask(world, '/fhir/Patient?_count=1');
  const { entry } = JSON.parse(text) as { entry: { resource: { id: string } }[] };
  return { port: program.port, apiKey, strayOrigin, patientId: entry[0]?.resource.id ?? '' };
}

/** A healthy request; rejects when it is not answered with 200. */
async function ask({ program, apiKey, leaks }: World, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${program.port}${path}`, {
    headers: { 'X-API-Key': apiKey },
    signal: AbortSignal.timeout(10_000),
  });
  const body = Buffer.from(await response.arrayBuffer());
  leaks.open(path)(body);
  leaks.open(path)(Buffer.from(JSON.stringify([...response.headers])));
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${body.toString()}`);
  return body.toString();
}

async function sendBatch(
  batch: readonly FuzzInput[],
  { program, leaks }: World,
  report: FuzzReport,
): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let input = batch[next++]; input !== undefined; input = batch[next++]) {
      const { statuses, strange, refused } = await exchangeBytes(
        input,
        program.port,
        leaks.open('an answer'),
      );
      report.inputs += 1;
      for (const name of input.operators) increment(report.operators, name);
      for (const status of statuses.length === 0 ? [0] : statuses)
        increment(report.statuses, status);
      if (strange !== undefined) report.failures.push(`no answer: ${JSON.stringify(strange)}`);
      if (refused) report.failures.push('the program takes no connection');
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
}

/** What must hold after every batch. */
async function assertWell(world: World, report: FuzzReport): Promise<void> {
  const { program, leaks } = world;
  const { failures } = report;
  const ended = program.ended();
  if (ended !== undefined) {
    failures.push(`the program ${ended}`);
    return;
  }
  try {
    const bundle = JSON.parse(await ask(world, '/fhir/Patient?_count=1')) as {
      resourceType: string;
    };
    if (bundle.resourceType !== 'Bundle') failures.push('a healthy request got no Bundle');
    const metrics = await ask(world, '/_proxy/metrics');
    if (!metrics.includes('requests_total')) failures.push('the metrics page is broken');
    await ask(world, '/_proxy/exchanges');
  } catch (error) {
    failures.push(`a healthy request failed: ${String(error)}`);
  }
  for (const { where, what, around } of leaks.leaks)
    failures.push(`${where} holds ${what}: ${around}`);
  if (world.strayConnections() > 0)
    failures.push('the program connected to a host of a client’s choice');
  report.bytesLookedAt = leaks.bytes();
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
