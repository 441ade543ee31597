import type { TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

// Its binary is not there for every platform.
const pty = await import('@lydell/node-pty').catch(() => undefined);

/** Why a test that needs {@link openTerminal} cannot run here; undefined where it can. */
export const NO_TERMINAL = pty === undefined ? 'no pseudo-terminal: @lydell/node-pty' : undefined;

/** A program on a pseudo-terminal, as a person meets it. */
export interface Terminal {
  /** Resolves once the text, without colours, matches; looks only behind the last match. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  type(keys: string): void;
  /** All that was shown, without colours. */
  text(): string;
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;
}

/** Where and how the program runs. */
export interface TerminalOptions {
  cwd: string;
  /** Added to a nearly empty environment. */
  environment?: Record<string, string>;
}

/** Starts a program on a terminal of 120 by 50; it is killed when the test is over. */
export function openTerminal(
  t: TestContext,
  program: string,
  argv: readonly string[],
  { cwd, environment }: TerminalOptions,
): Terminal {
  if (pty === undefined) throw new Error(NO_TERMINAL);
  const terminal = pty.spawn(program, [...argv], {
    cwd,
    cols: 120,
    rows: 50,
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', CI: '', ...environment },
  });
  let raw = '';
  let seen = 0;
  let isOver = false;
  const looking = new Set<() => void>();
  terminal.onData((data) => {
    raw += data;
    for (const look of looking) look();
  });
  const ended = new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => {
      isOver = true;
      resolve(exitCode);
      for (const look of looking) look();
    });
  });
  t.after(() => {
    if (!isOver) terminal.kill('SIGKILL');
  });
  const text = () => stripVTControlCharacters(raw);
  return {
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text().slice(seen));
          if (match === null && !isOver) return;
          looking.delete(look);
          if (match === null) {
            reject(new Error(`ended without ${pattern}: ${text()}`));
            return;
          }
          seen += match.index + match[0].length;
          resolve(match);
        };
        looking.add(look);
        look();
      }),
    type: (keys) => terminal.write(keys),
    text,
    ended,
  };
}
