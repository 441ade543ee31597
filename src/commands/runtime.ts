/**
 * What a command may touch of the process. `cli.ts` makes the real one; tests make their own, with
 * streams that they can read.
 */
import type { Environment } from '../config/environment.ts';
import type { Output } from './output.ts';

/** Signals that end a command gracefully. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Exit codes of every command. A command that a signal ended has {@link signalExitCode}. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** A check or a request failed. */
  failed: 1,
  /** Bad usage or configuration. */
  usage: 2,
} as const;

/** A stream that text is read from. */
export interface Input {
  readonly isTTY: boolean;
  readonly stream: NodeJS.ReadableStream;
}

/** Everything outside of the program that a command may use. */
export interface Runtime {
  readonly stdin: Input;
  /** For results: what another program may read. */
  readonly stdout: Output;
  /** For everything else: logs, progress, errors. */
  readonly stderr: Output;
  /** The environment as the program was given it, secrets included: hand on only what `own-secrets.ts` lets through. */
  readonly environment: Environment;
  /** Working directory, absolute. */
  readonly cwd: string;
  /**
   * From the first call on, SIGINT and SIGTERM no longer end the process: the first aborts the
   * returned signal, with the {@link StopSignal} as reason; a second ends the process at once. A
   * command that calls this must stop soon and return {@link signalExitCode} of the reason.
   */
  stopSignal(): AbortSignal;
  /** Sends this process a signal, as if it had come from outside. */
  raise(this: void, signal: StopSignal): void;
  /**
   * From the call on, signals that would end the process go to the listener instead, for a command
   * that runs another program; until the returned function is called.
   */
  passSignals(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Takes variables out of the environment that child processes and crash reports get; `environment` keeps them. */
  hideVariables(this: void, names: readonly string[]): void;
  /** Calls a synchronous listener when the process ends in whatever way, to write out what is buffered. */
  atExit(this: void, listener: () => void): void;
}

/** Exit code of a command that a signal ended: 128 and the number of the signal, as shells count. */
export function signalExitCode(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143;
}

/** Resolves, once the signal of {@link Runtime.stopSignal} is aborted, to what aborted it. */
export function stopped(stop: AbortSignal): Promise<StopSignal> {
  return new Promise((resolve) => {
    const finish = () => resolve(stop.reason as StopSignal);
    if (stop.aborted) finish();
    else stop.addEventListener('abort', finish, { once: true });
  });
}
