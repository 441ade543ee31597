/** Closed-loop load from wrk where the system has it, else from autocannon. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export type LoadTool = 'wrk' | 'autocannon';

/** What to send. */
export interface Load {
  url: string;
  connections: number;
  /** Length of the run in seconds. */
  seconds: number;
  /** Bytes of the body of a POST; 0 for a GET. */
  bodyBytes: number;
  /** Whether the client itself sends the token. */
  withToken: boolean;
}

/** What came of it. Times in milliseconds, as the client saw them. */
export interface LoadResult {
  requests: number;
  seconds: number;
  /** Failed connections, timeouts and answers of 400 and more. */
  errors: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export async function findLoadTool(): Promise<LoadTool> {
  // wrk -v ends with status 1 when it is there, and cannot be started when it is not.
  return run('wrk', ['-v']).then(
    () => 'wrk' as const,
    (error: { code?: unknown }) => (error.code === 'ENOENT' ? 'autocannon' : 'wrk'),
  );
}

export async function runLoad(tool: LoadTool, load: Load): Promise<LoadResult> {
  return tool === 'wrk' ? runWrk(load) : runAutocannon(load);
}

async function runWrk({
  url,
  connections,
  seconds,
  bodyBytes,
  withToken,
}: Load): Promise<LoadResult> {
  const { stdout } = await run(
    'wrk',
    [
      ...(withToken ? ['-H', 'Authorization: Bearer bench'] : []),
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--timeout=10s',
      '-s',
      here('wrk-report.lua'),
      url,
    ],
    {
      env: {
        ...process.env,
        ...(bodyBytes > 0 ? { BENCH_METHOD: 'POST', BENCH_BODY_BYTES: String(bodyBytes) } : {}),
      },
    },
  );
  const line = /^RESULT (.*)$/m.exec(stdout);
  if (line === null) throw new Error(`wrk printed no result:\n${stdout}`);
  return JSON.parse(line[1] as string) as LoadResult;
}

async function runAutocannon({
  url,
  connections,
  seconds,
  bodyBytes,
  withToken,
}: Load): Promise<LoadResult> {
  const body = `{"resourceType":"Patient","text":"${'x'.repeat(Math.max(0, bodyBytes - 36))}"}`;
  const post = ['-m', 'POST', '-T', 'application/fhir+json', '-b', body];
  const { stdout } = await run(
    process.execPath,
    [
      here('node_modules/autocannon/autocannon.js'),
      '-c',
      String(connections),
      '-d',
      String(seconds),
      '--json',
      '--no-progress',
      ...(bodyBytes > 0 ? post : []),
      ...(withToken ? ['-H', 'Authorization: Bearer bench'] : []),
      url,
    ],
    { maxBuffer: 16 * 2 ** 20 },
  );
  const result = JSON.parse(stdout) as {
    requests: { total: number };
    duration: number;
    errors: number;
    timeouts: number;
    non2xx: number;
    latency: { p50: number; p99: number; max: number };
  };
  return {
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result.timeouts + result.non2xx,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    maxMs: result.latency.max,
  };
}
