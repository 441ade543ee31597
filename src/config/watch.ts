/**
 * Tells when files change. The folders are watched, not the files: editors and Kubernetes put a new
 * file (or a new link, `..data`) in the old one's place, and a watch on the old one sees nothing
 * more. What no watch reports, as on a network drive, is found by looking from time to time.
 */
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Files under watch. */
export interface FileWatch {
  /** Watches these files from now on, in place of the former ones. */
  follow(files: readonly string[]): void;
  close(): void;
}

/** Settings of {@link watchFiles}. */
export interface FileWatchOptions {
  /** When the files were read, milliseconds since the epoch: what has changed after that is reported; default now. */
  sinceMs?: number;
  /** Milliseconds of quiet after which a change is reported; default 150. */
  quietMs?: number;
  /** Milliseconds between two looks at files that no watch reported; default 5000. */
  pollMs?: number;
}

const QUIET_MS = 150;
const POLL_MS = 5000;
/** Writing that never stops is reported all the same after so many times the quiet. */
const LONGEST_WAIT = 10;

/**
 * Watches files, which need not exist. Does not keep the program alive.
 *
 * @param onChange called once after several changes in a row; never while nothing has changed
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => void,
  { sinceMs = Infinity, quietMs = QUIET_MS, pollMs = POLL_MS }: FileWatchOptions = {},
): FileWatch {
  let followed = files;
  let timer: NodeJS.Timeout | undefined;
  let firstEventAt = 0;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  let seen: ReadonlyMap<string, FileState> | undefined;

  const compare = async (): Promise<void> => {
    const [states, folders] = await Promise.all([statesOf(followed), foldersOf(followed)]);
    if (closed) return;
    folderWatches.follow(folders);
    const hasChanged = (file: string, { signature, changedAtMs }: FileState): boolean => {
      if (seen === undefined) return changedAtMs > sinceMs;
      // A file that is followed only now has not changed.
      const before = seen.get(file);
      return before !== undefined && before.signature !== signature;
    };
    const isChange = [...states].some(([file, state]) => hasChanged(file, state));
    seen = states;
    if (isChange) onChange();
  };
  const look = (): void => {
    looking = looking.then(compare);
  };
  const onEvent = (): void => {
    const now = performance.now();
    if (timer === undefined) firstEventAt = now;
    const left = firstEventAt + quietMs * LONGEST_WAIT - now;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        timer = undefined;
        look();
      },
      Math.max(0, Math.min(quietMs, left)),
    );
    timer.unref();
  };
  const folderWatches = createFolderWatches(onEvent);

  look();
  const poll = setInterval(look, pollMs);
  poll.unref();
  return {
    follow(next) {
      followed = next;
      look();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(poll);
      folderWatches.follow(new Set());
    },
  };
}

/** Watches folders; those that cannot be watched, or no longer, are tried again with the next `follow`. */
function createFolderWatches(onEvent: () => void): {
  follow(folders: ReadonlySet<string>): void;
} {
  const watchers = new Map<string, FSWatcher>();
  return {
    follow(folders) {
      for (const [folder, watcher] of watchers) {
        if (folders.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      for (const folder of folders) {
        if (watchers.has(folder)) continue;
        const watcher = watchFolder(folder, onEvent, () => watchers.delete(folder));
        if (watcher !== undefined) watchers.set(folder, watcher);
      }
    },
  };
}

/** Undefined when the folder cannot be watched: looking from time to time has to do then. */
function watchFolder(
  folder: string,
  onEvent: () => void,
  onEnd: () => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      onEvent();
      // The folder itself was moved or removed; what comes in its place is watched anew.
      if (name === null) end();
    });
    const end = (): void => {
      watcher.close();
      onEnd();
    };
    watcher.on('error', end);
    return watcher;
  } catch {
    return undefined;
  }
}

/** The folders of the files, and of what they are links to. */
async function foldersOf(files: readonly string[]): Promise<Set<string>> {
  const real = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
  return new Set([...files, ...real].map((file) => dirname(file)));
}

interface FileState {
  /** Changes whenever the file does, whatever way it is replaced. */
  signature: string;
  /** Milliseconds since the epoch; 0 when there is no such file. */
  changedAtMs: number;
}

async function statesOf(files: readonly string[]): Promise<ReadonlyMap<string, FileState>> {
  const pairs = files.map(async (file) => [file, await stateOf(file)] as const);
  return new Map(await Promise.all(pairs));
}

async function stateOf(file: string): Promise<FileState> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(file, { bigint: true });
    const signature = [dev, ino, size, mtimeNs, ctimeNs].join(':');
    return { signature, changedAtMs: Number(ctimeMs) };
  } catch (error) {
    return { signature: (error as NodeJS.ErrnoException).code ?? 'unknown', changedAtMs: 0 };
  }
}
