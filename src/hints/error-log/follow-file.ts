/** Reads what is added to the newest of some files, through rotation, truncation and re-creation. */
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

import { pathInMessage } from '../../config/path-in-message.ts';
import { isGlob, listLogFiles, type LogFile } from './newest-file.ts';

/** Most bytes read at one time; when more has piled up, the older part is skipped. */
const MOST_BACKLOG_BYTES = 1_048_576;
const CHUNK_BYTES = 65_536;
/** Milliseconds between a reported change and the look at it. */
const WATCH_DELAY_MS = 25;

/** What {@link followFile} is told and tells. */
export interface FileFollowing {
  /** Absolute path or glob. */
  pattern: string;
  /** Milliseconds between looks at the files, for file systems that report no changes. */
  pollMs: number;
  /** Text in the order in which it was written. */
  onText: (text: string) => void;
  /** A file was opened; what follows comes from it. */
  onFile: (path: string) => void;
  /** No file is there, or it cannot be read; told once until one can. */
  onMissing: (error: Error) => void;
}

/** A running reader. */
export interface FollowedFile {
  /** Reads everything that is there now. */
  catchUp: () => Promise<void>;
  close: () => Promise<void>;
}

interface Current {
  file: LogFile;
  handle: FileHandle;
  offset: number;
  decoder: StringDecoder;
}

/** Starts at the end of the newest file; what comes later is read from its start. */
export function followFile(following: FileFollowing): FollowedFile {
  const { pattern, pollMs, onText, onFile, onMissing } = following;
  /** Sizes at the last look, so that a file that is taken up again is read from there. */
  let sizes: Map<string, number> | undefined;
  let current: Current | undefined;
  let missing = false;

  const miss = (error: Error): void => {
    if (!missing) onMissing(error);
    missing = true;
  };
  const look = async (): Promise<void> => {
    const files = await listLogFiles(pattern);
    const [newest] = files;
    // The handle stays open while no file is there, so that its inode cannot be taken by another file.
    if (current !== undefined) await drain(current, onText);
    if (newest === undefined) {
      miss(new Error(`no readable file matches ${pathInMessage(pattern)}`));
    } else if (newest.identity === current?.file.identity) {
      if (missing) onFile(newest.path);
      missing = false;
    } else {
      const seen = sizes?.get(newest.identity);
      const resumed = seen !== undefined && seen <= newest.size ? seen : 0;
      await takeUp(newest, sizes === undefined ? newest.size : resumed);
    }
    sizes = new Map(files.map(({ identity, size }) => [identity, size]));
  };
  const takeUp = async (file: LogFile, offset: number): Promise<void> => {
    const handle = await open(file.path, 'r');
    await current?.handle.close();
    current = { file, handle, offset, decoder: new StringDecoder('utf8') };
    missing = false;
    onFile(file.path);
    await drain(current, onText);
  };

  const { run: catchUp, stop } = inTurn(async () => {
    try {
      await look();
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      // Node's own message repeats the path whatever it holds.
      miss(new Error(`${pathInMessage(pattern)} (${code})`, { cause: error }));
    }
  });
  const timer = setInterval(() => void catchUp(), pollMs);
  // Busy folders change many times a second; one look serves for all of it.
  let soon: NodeJS.Timeout | undefined;
  const watcher = watchFolder(pattern, () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void catchUp();
    }, WATCH_DELAY_MS);
  });
  void catchUp();
  return {
    catchUp,
    async close() {
      clearInterval(timer);
      clearTimeout(soon);
      watcher?.close();
      await stop();
      await current?.handle.close();
      current = undefined;
    },
  };
}

/** One run at a time; a call during a run waits for it and for one more, which several calls share. */
function inTurn(work: () => Promise<void>): {
  run: () => Promise<void>;
  stop: () => Promise<void>;
} {
  let last: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let stopped = false;
  const after = async (before: Promise<void>): Promise<void> => {
    await before;
    queued = undefined;
    if (!stopped) await work();
  };
  return {
    run() {
      queued ??= after(last);
      last = queued;
      return queued;
    },
    stop() {
      stopped = true;
      return last;
    },
  };
}

async function drain(current: Current, onText: (text: string) => void): Promise<void> {
  const { size } = await current.handle.stat();
  if (size < current.offset) {
    // Truncated: what is there now was written after that.
    current.offset = 0;
    current.decoder.end();
  }
  if (size - current.offset > MOST_BACKLOG_BYTES) current.offset = size - MOST_BACKLOG_BYTES;
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, size - current.offset)));
  while (current.offset < size) {
    const { bytesRead } = await current.handle.read(buffer, 0, buffer.length, current.offset);
    if (bytesRead === 0) return;
    current.offset += bytesRead;
    const text = current.decoder.write(buffer.subarray(0, bytesRead));
    if (text !== '') onText(text);
  }
}

/** A quicker way to notice changes than the poll; it may fail, and the poll remains. */
function watchFolder(pattern: string, onChange: () => void): FSWatcher | undefined {
  let folder = dirname(pattern);
  while (isGlob(folder)) folder = dirname(folder);
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
