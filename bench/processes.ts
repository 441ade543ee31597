/** Children of the benchmark: started, awaited, measured and ended by their own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A running child, its own children included in what is measured. */
export interface Running {
  child: ChildProcess;
  /** From its start to its first good answer, milliseconds. */
  readyMs: number;
  stop(): Promise<void>;
}

/** What a process tree used so far. */
export interface Usage {
  cpuSeconds: number;
  rssMiB: number;
  /** Highest resident set since {@link resetPeak}, each process at its own time. */
  peakMiB: number;
}

const STOP_LIMIT_MS = 5000;
const TICKS_PER_SECOND = 100;

/**
 * @param logFile takes stdout and stderr
 * @param wanted a URL that answers 200 once the child is ready, asked with `fields`
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  {
    logFile,
    wanted,
    fields = {},
    env = {},
  }: { logFile: string; wanted: string; fields?: Record<string, string>; env?: NodeJS.ProcessEnv },
): Promise<Running> {
  const log = openSync(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  closeSync(log);
  const stop = () => stopChild(child);
  let failure: Error | undefined;
  child.on('error', (error) => (failure = error));
  const until = Date.now() + 20_000;
  while (!(await answersOk(wanted, fields))) {
    if (failure !== undefined || child.exitCode !== null || Date.now() > until) {
      await stop();
      const why = failure?.message ?? readFileSync(logFile, 'utf8').slice(-2000);
      throw new Error(`"${command} ${args.join(' ')}" did not answer at ${wanted}: ${why}`);
    }
    await delay(5);
  }
  return { child, readyMs: performance.now() - startedAt, stop };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(killer);
}

async function answersOk(url: string, fields: Record<string, string>): Promise<boolean> {
  return new Promise((resolve) => {
    http
      .get(
        url,
        { agent: false, headers: { ...fields, connection: 'close' }, timeout: 2000 },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      )
      .on('timeout', function (this: http.ClientRequest) {
        this.destroy();
      })
      .on('error', () => resolve(false));
  });
}

/** A port that was free a moment ago, for programs that cannot be asked for port 0. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Undefined where there is no /proc. */
export function readUsage({ child }: Running): Usage | undefined {
  try {
    const pids = processTree(child.pid as number);
    const used = pids.map(readProcess);
    return {
      cpuSeconds: used.reduce((sum, one) => sum + one.cpuSeconds, 0),
      rssMiB: used.reduce((sum, one) => sum + one.rssMiB, 0),
      peakMiB: used.reduce((sum, one) => sum + one.peakMiB, 0),
    };
  } catch {
    return undefined;
  }
}

/** Makes the kernel forget the highest resident set. */
export function resetPeak({ child }: Running): void {
  try {
    for (const pid of processTree(child.pid as number))
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not Linux: readUsage says so.
  }
}

function processTree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function readProcess(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssMiB: kib('VmRSS') / 1024,
    peakMiB: kib('VmHWM') / 1024,
  };
}
