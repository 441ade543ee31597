#!/usr/bin/env node
import { isatty } from 'node:tty';

import { readVersion } from './base/version.ts';
import { runProgram } from './commands/program.ts';
import { type Output, type Runtime, type StopSignal, signalExitCode } from './commands/runtime.ts';

/** Signals that a program run by a command gets, too. */
const PASSED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;

/** Wires the process to a {@link Runtime}. */
function createProcessRuntime(): Runtime {
  let stop: AbortController | undefined;
  return {
    stdin: { isTTY: isatty(process.stdin.fd), stream: process.stdin },
    stdout: createOutput(process.stdout),
    stderr: createOutput(process.stderr),
    environment: process.env,
    cwd: process.cwd(),
    stopSignal() {
      stop ??= listenForSignals();
      return stop.signal;
    },
    // Not process.kill: on Windows that ends the process at once, whatever listens for the signal.
    raise(signal) {
      if (!process.emit(signal)) process.exit(signalExitCode(signal));
    },
    passSignals(listener) {
      for (const signal of PASSED_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of PASSED_SIGNALS) process.off(signal, listener);
      };
    },
    atExit: (listener) => void process.once('exit', listener),
  };
}

function listenForSignals(): AbortController {
  const controller = new AbortController();
  const onSignal = (signal: StopSignal) => {
    if (controller.signal.aborted) process.exit(signalExitCode(signal));
    controller.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller;
}

function createOutput(stream: NodeJS.WriteStream & { fd: number }): Output {
  // Whoever reads may leave early, as in "| head"; that is not our failure.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    write: (text) => void stream.write(text),
    isTTY: isatty(stream.fd),
    columns: stream.columns ?? 80,
    stream,
  };
}

const exitCode = await runProgram(process.argv.slice(2), createProcessRuntime(), {
  version: readVersion(),
});
// Standard output may be a pipe that is still being written.
process.stdout.write('', () => process.exit(exitCode));
