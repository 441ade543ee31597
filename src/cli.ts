#!/usr/bin/env node
import { isatty } from 'node:tty';

import { readVersion } from './base/version.ts';
import { createOutput, type Output } from './commands/output.ts';
import { SECRET_VARIABLES } from './commands/own-secrets.ts';
import { runProgram } from './commands/program.ts';
import { reportFailure } from './commands/report.ts';
import { type Runtime, type StopSignal, signalExitCode } from './commands/runtime.ts';
import type { Environment } from './config/environment.ts';

/** Signals that a program run by a command gets, too. */
const PASSED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;

/** Wires the process to a {@link Runtime}. */
function createProcessRuntime(environment: Environment): Runtime {
  let stop: AbortController | undefined;
  return {
    stdin: { isTTY: isatty(process.stdin.fd), stream: process.stdin },
    stdout: createProcessOutput(process.stdout),
    stderr: createProcessOutput(process.stderr),
    environment,
    hideVariables,
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

/** What the program was given; its secrets stay here alone, where neither a child nor a crash report finds them. */
function takeEnvironment(): Environment {
  const environment = { ...process.env };
  hideVariables(SECRET_VARIABLES);
  // Node 22.13 and later; a report is for strangers to read, so other people's secrets stay out as well.
  Object.assign(process.report ?? {}, { excludeEnv: true });
  return environment;
}

function hideVariables(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
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

function createProcessOutput(stream: NodeJS.WriteStream & { fd: number }): Output {
  // The reader may leave early, as in "| head"; that is not our failure.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return createOutput({
    stream,
    isTTY: isatty(stream.fd),
    columns: stream.columns ?? 80,
    noColor: process.env['NO_COLOR'],
  });
}

// Node would open its debugger, with which every user of this machine could run code here.
process.on('SIGUSR1', () => {});
const runtime = createProcessRuntime(takeEnvironment());
// Node would print the error as it is, stack and control characters included.
process.on('uncaughtException', (error) => process.exit(reportFailure(error, runtime)));

const exitCode = await runProgram(process.argv.slice(2), runtime, {
  version: readVersion(),
});
// Standard output may be a pipe that is still being written.
process.stdout.write('', () => process.exit(exitCode));
