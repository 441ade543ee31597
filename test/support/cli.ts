import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A run of the built program. */
export interface CliRun {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves to the first match in standard output; rejects when the program ends without one. */
  outMatches(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The same in standard error. */
  errMatches(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves to exit code, or the signal that ended it, once everything is read. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Where and how the program runs. */
export interface CliOptions {
  cwd: string;
  /** Added to a nearly empty environment. */
  environment?: Record<string, string>;
  /** Signals and kills it when the test is over. */
  signal: AbortSignal;
}

/** Starts the built program, `dist/cli.js`, in a process of its own, with the Node of this one. */
export function startCli(args: readonly string[], options: CliOptions): CliRun {
  assert.ok(existsSync(bin), 'dist/cli.js is missing: npm run build');
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
    killSignal: 'SIGKILL',
  });
  // The abort at the end of the test is no failure.
  child.on('error', (error) => assert.equal(error.name, 'AbortError'));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
  const matches = (stream: Readable, text: () => string, pattern: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const look = () => {
        const match = text().match(pattern);
        if (match !== null) resolve(match);
      };
      stream.on('data', look);
      look();
      void ended.then((code) => reject(new Error(`ended with ${code}: ${err}`)));
    });
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    outMatches: (pattern) => matches(child.stdout, () => out, pattern),
    errMatches: (pattern) => matches(child.stderr, () => err, pattern),
  };
}
