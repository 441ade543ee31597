import { spawn } from 'node:child_process';
import type { ReadStream } from 'node:tty';

import { ProxyError } from '../base/errors.ts';
import { isForeground } from './foreground.ts';
import type { Runtime } from './runtime.ts';

/** What a key does. */
export interface KeyAction {
  key: string;
  /** What it does, as an imperative, for the list of keys. */
  does: string;
  /** Resolves to a sentence for the terminal, or to nothing. */
  act: () => Promise<string | void>;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/**
 * Listens for single keys while the proxy runs; without a terminal in the foreground, or with one
 * that has no raw mode, it does nothing.
 *
 * @returns one line that lists the keys, or undefined when none are listened for
 */
export function listenForKeys(
  { stdin, stderr, raise, atExit }: Pick<Runtime, 'stdin' | 'stderr' | 'raise' | 'atExit'>,
  actions: readonly KeyAction[],
  inForeground: () => boolean = isForeground,
): string | undefined {
  const stream = stdin.stream as ReadStream;
  if (!stdin.isTTY || !stderr.isTTY || typeof stream.setRawMode !== 'function') return undefined;
  if (!inForeground()) return undefined;
  const say = (text: string): void => stderr.write(`${text}\n`);
  const list = `keys: ${actions.map(({ key, does }) => `${key} ${does}`).join(' · ')} · h help`;

  const onKey = async (key: string): Promise<void> => {
    if (key === CTRL_C || key === CTRL_D) raise('SIGINT');
    else if (key === 'h' || key === '?') say(list);
    else if (key === '\r') say('');
    const action = actions.find((each) => each.key === key);
    if (action === undefined) return;
    try {
      const said = await action.act();
      if (typeof said === 'string') say(said);
    } catch (error) {
      say(
        error instanceof ProxyError ? `${action.does}: ${error.message}` : `${action.does}: failed`,
      );
    }
  };
  stream.setRawMode(true);
  atExit(() => stream.setRawMode(false));
  stream.setEncoding('utf8');
  // A paste arrives in one piece; only what is typed key by key counts.
  stream.on('data', (typed) => void onKey(String(typed)));
  // The keys alone must not keep the process alive.
  stream.unref();
  return list;
}

/** Opens a page in the browser of this desktop; resolves to a sentence for the terminal. */
export function openInBrowser(url: string, platform: NodeJS.Platform): Promise<string> {
  const [program = '', ...args] =
    platform === 'darwin'
      ? ['open', url]
      : platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(`no browser could be opened; the inspector is at ${url}`));
    child.once('spawn', () => {
      child.unref();
      resolve(`opening ${url}`);
    });
  });
}
