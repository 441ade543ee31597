import { fstatSync } from 'node:fs';

import { destination } from 'pino';

/** Where log lines go: collected, so that many lines cost one write. */
export interface LineBuffer {
  /** Takes a line with its line end. */
  write(line: string): void;
  /** Writes out what is collected; synchronously, where the destination is a file, a terminal or a pipe. */
  flush(): void;
}

/** A chunk of this many UTF-16 units is written at once; below it, lines wait for the interval. */
const CHUNK_LENGTH = 16_384;
/** A reader that falls this far behind loses lines, not the proxy its memory. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

/**
 * @param target a file descriptor (written to by pino's SonicBoom) or a stream
 * @param delayMs how long a line may wait for company, in milliseconds
 */
export function createLineBuffer(
  target: number | NodeJS.WritableStream,
  delayMs: number,
): LineBuffer {
  const sink = typeof target === 'number' ? createFileSink(target) : createStreamSink(target);
  let pending = '';
  let timer: NodeJS.Timeout | undefined;

  function handOver(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending === '') return;
    const chunk = pending;
    pending = '';
    sink.write(chunk);
  }

  return {
    write(line) {
      pending += line;
      if (pending.length >= CHUNK_LENGTH) handOver();
      else timer ??= setTimeout(handOver, delayMs);
    },
    flush() {
      handOver();
      sink.flush();
    },
  };
}

function createFileSink(fd: number): LineBuffer {
  const file = destination({ dest: fd, sync: isPrompt(fd), maxLength: BACKLOG_BYTES });
  // A log reader that went away (EPIPE) must not take the proxy with it.
  file.on('error', () => undefined);
  return {
    write: (chunk) => void file.write(chunk),
    flush() {
      try {
        file.flushSync();
      } catch {
        // The reader is gone; see above.
      }
    },
  };
}

/**
 * Whether writing returns at once: files and terminals. Then it is done synchronously, and a flush
 * is complete and in order. A pipe's reader may be slow and must not stop the proxy, so chunks for
 * it go through the thread pool; a flush in the middle of one may overtake it.
 */
function isPrompt(fd: number): boolean {
  try {
    const target = fstatSync(fd);
    return target.isFile() || target.isCharacterDevice();
  } catch {
    return false;
  }
}

function createStreamSink(stream: NodeJS.WritableStream): LineBuffer {
  stream.on('error', () => undefined);
  const backlog = () => (stream as { writableLength?: number }).writableLength ?? 0;
  return {
    write(chunk) {
      if (stream.writable && backlog() < BACKLOG_BYTES) stream.write(chunk);
    },
    flush: () => undefined,
  };
}
