import { PassThrough, Readable } from 'node:stream';

import { createOutput } from '../../src/commands/output.ts';
import type { Runtime, StopSignal } from '../../src/commands/runtime.ts';

/** A runtime without a process, with streams that a test can read. */
export interface TestRuntime extends Runtime {
  /** What was written to standard output so far. */
  out(): string;
  /** What was written to standard error so far. */
  err(): string;
  /** Resolves to the first match in standard output as soon as there is one. */
  outMatches(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The same in standard error. */
  errMatches(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal, as Ctrl-C does. */
  stop(signal: StopSignal): void;
  /** Names of the variables that children and crash reports no longer get. */
  hidden(): readonly string[];
  /** Ends the process: calls the listeners of `atExit`. */
  exit(): void;
}

/** What a {@link TestRuntime} can be given. */
export interface TestRuntimeOptions {
  cwd?: string;
  environment?: Record<string, string | undefined>;
  /** Text on standard input; default none. */
  stdin?: string;
  /** Whether all streams are a terminal; default false. */
  isTTY?: boolean;
}

/** Makes a {@link TestRuntime}. */
export function createTestRuntime(options: TestRuntimeOptions = {}): TestRuntime {
  const { cwd = '/', environment = {}, stdin = '', isTTY = false } = options;
  const stdout = createRecorder(isTTY, environment);
  const stderr = createRecorder(isTTY, environment);
  const stopping = new AbortController();
  const hidden: string[] = [];
  const exitListeners: (() => void)[] = [];
  return {
    stdin: { isTTY, stream: Readable.from([stdin]) },
    stdout: stdout.output,
    stderr: stderr.output,
    environment,
    cwd,
    hideVariables: (names) => void hidden.push(...names),
    hidden: () => hidden,
    stopSignal: () => stopping.signal,
    raise: (signal) => stopping.abort(signal),
    passSignals(listener) {
      const pass = () => listener(stopping.signal.reason as StopSignal);
      stopping.signal.addEventListener('abort', pass);
      return () => stopping.signal.removeEventListener('abort', pass);
    },
    atExit: (listener) => void exitListeners.push(listener),
    out: stdout.text,
    err: stderr.text,
    outMatches: stdout.matches,
    errMatches: stderr.matches,
    stop: (signal) => stopping.abort(signal),
    exit: () => exitListeners.forEach((listener) => listener()),
  };
}

function createRecorder(isTTY: boolean, environment: Record<string, string | undefined>) {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    output: createOutput({ stream, isTTY, columns: 80, noColor: environment['NO_COLOR'] }),
    text: () => text,
    matches: (pattern: RegExp) =>
      new Promise<RegExpMatchArray>((resolve) => {
        const look = () => {
          const match = text.match(pattern);
          if (match === null) return;
          stream.off('data', look);
          resolve(match);
        };
        stream.on('data', look);
        look();
      }),
  };
}
