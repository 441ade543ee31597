/** Runs the built program, `dist/cli.js`, in a process of its own, and asks what it holds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const PROBE = new URL('./probe.js', import.meta.url).href;
/** Longest a start or a stop may take. */
const PATIENCE_MS = 20_000;
const MOST_LINES = 400;

/** What a process holds after a garbage collection; sizes in bytes. */
export interface Holdings {
  heapUsed: number;
  /** Buffers, outside the heap. */
  external: number;
  /** Part of the heap that is compiled code and what belongs to it. */
  code: number;
  rss: number;
  /** Kinds of active handles and timers, as `process.getActiveResourcesInfo` names them. */
  handles: readonly string[];
}

/** The program at work. */
export interface Program {
  readonly port: number;
  readonly pid: number;
  /** Collects garbage, then tells what is held. */
  holdings(): Promise<Holdings>;
  /** Collects garbage, then writes a heap snapshot, for the memory panel of Chrome's developer tools. */
  writeSnapshot(file: string): Promise<void>;
  /** How it ended, while it should not have; undefined while it runs. */
  ended(): string | undefined;
  /** The newest lines of its log. */
  lines(): readonly string[];
  /** Ends it as Ctrl-C does; resolves to its exit code or signal. */
  stop(): Promise<number | string>;
}

/** Options of {@link startProgram}. */
export interface ProgramOptions {
  config: string;
  cwd: string;
  /** Sees everything written to standard output and standard error. */
  onOutput: (chunk: Buffer) => void;
  /** Sees each line of the log. */
  onLine?: (line: string) => void;
}

/** Starts the program with a config file; resolves once it listens. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  if (!existsSync(BIN)) throw new Error('dist/cli.js is missing: npm run build');
  const args = ['--expose-gc', '--import', PROBE, BIN, 'start', '--config', options.config];
  const child = spawn(process.execPath, [...args, '--log-format', 'json'], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lines: string[] = [];
  let end: number | string | undefined;
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve((end = code ?? signal ?? 'unknown')));
  });
  process.once('exit', () => child.kill('SIGKILL'));
  followLog(child, options, lines);
  const port = await readPort(child, options, ended, lines);
  return {
    port,
    pid: child.pid ?? 0,
    lines: () => lines,
    ended: () =>
      end === undefined ? undefined : `ended with ${end}:\n${lines.slice(-20).join('\n')}`,
    holdings: async () => (await askProbe(child, '')) as Holdings,
    async writeSnapshot(file) {
      await askProbe(child, file);
    },
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      child.kill('SIGINT');
      const how = await ended;
      clearTimeout(late);
      return how;
    },
  };
}

/** Sends a message to the probe; resolves to its answer. One at a time. */
function askProbe(child: ChildProcess, message: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the probe does not answer')), PATIENCE_MS);
    child.once('message', (answer) => {
      clearTimeout(late);
      resolve(answer);
    });
    child.send(message);
  });
}

function followLog(child: ChildProcess, options: ProgramOptions, lines: string[]): void {
  let rest = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    options.onOutput(chunk);
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      options.onLine?.(line);
      lines.push(line);
    }
    if (lines.length > MOST_LINES) lines.splice(0, lines.length - MOST_LINES);
  });
}

function readPort(
  child: ChildProcess,
  { onOutput }: ProgramOptions,
  ended: Promise<number | string>,
  lines: readonly string[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      onOutput(chunk);
      out = (out + chunk.toString()).slice(-4096);
      const match = /^ready on \S+:(\d+)$/m.exec(out);
      if (match !== null) resolve(Number(match[1]));
    });
    void ended.then((how) =>
      reject(new Error(`the program ended with ${how}: ${lines.join('\n')}`)),
    );
  });
}
