/** Follows OpenEMR's error log and keeps its latest entries, to be joined to exchanges. */
import type { Clock, Logger } from '../../base/contracts.ts';
import type { LogEntry } from './entry.ts';
import { followCommand } from './follow-command.ts';
import { followFile, type FollowedFile } from './follow-file.ts';
import { createLogReader } from './reader.ts';
import { type LogSelection, selectEntries } from './select.ts';

/** Most entries kept; and for how long, in milliseconds. */
const MAX_ENTRIES = 500;
const KEEP_MS = 600_000;
/** Milliseconds without new text after which an open record is taken as it is. */
const SETTLE_MS = 100;
/** A command begins with old lines (`tail` prints ten); what comes this soon after its first is judged by its own time. */
const COMMAND_BACKLOG_MS = 500;
const POLL_MS = 1000;

/** Where the log is. */
export type ErrorLogSource =
  /** Absolute path or glob; the newest file is followed. */
  | { path: string }
  /** Program and arguments whose standard output is the log. */
  | { command: readonly string[] };

/** Options of {@link followErrorLog}. */
export type FollowErrorLogOptions = ErrorLogSource & {
  logger?: Logger;
  /** Called with new entries, those of one line together. */
  onEntries?: (entries: readonly LogEntry[]) => void;
  clock?: Clock;
};

/** State of the following, for `doctor` and the inspector. */
export interface ErrorLogState {
  /** `starting`: nothing known yet; `following`: text can arrive; `waiting`: no file, or the command ended. */
  state: 'starting' | 'following' | 'waiting';
  /** The file being read. */
  file?: string;
  /** Why it waits. */
  reason?: string;
  /** Whether any text has come, be it a whole line or not. */
  hasText: boolean;
  /** Entries read so far. */
  entries: number;
}

/** A followed log. */
export interface ErrorLogFollower {
  /** Entries received since a time (milliseconds since the epoch), oldest first. */
  entriesSince(ms: number): LogEntry[];
  /** Entries that may belong to an exchange; call `catchUp` before. */
  matching(selection: LogSelection): readonly LogEntry[];
  /** Reads what has been written by now. OpenEMR logs before it answers, so after an answer this is enough for files; a command gets 100 ms. */
  catchUp(): Promise<void>;
  state(): ErrorLogState;
  close(): Promise<void>;
}

/** Follows from the end of the log on; never throws: trouble is logged once and `state()` tells it. */
export function followErrorLog(options: FollowErrorLogOptions): ErrorLogFollower {
  const { logger, onEntries, clock = { now: () => Date.now() } } = options;
  const state: ErrorLogState = { state: 'starting', hasText: false, entries: 0 };
  const kept: LogEntry[] = [];
  let reader = createLogReader();
  let lines = 0;
  let settle: NodeJS.Timeout | undefined;
  /** Until when entries are judged by their own time; 0 when not. */
  let backlogUntilMs = 0;
  let awaitsFirstText = false;

  const keep = (entries: readonly LogEntry[]): void => {
    if (entries.length === 0) return;
    const now = clock.now();
    const received = entries.map((entry) => ({
      ...entry,
      line: lines + entry.line,
      receivedAtMs: now < backlogUntilMs ? (entry.timeMs ?? 0) : now,
    }));
    for (const entry of received) kept.push(entry);
    state.entries += received.length;
    onEntries?.(received);
    while (kept.length > MAX_ENTRIES || (kept[0]?.receivedAtMs ?? now) < now - KEEP_MS)
      kept.shift();
  };
  const settleNow = (): void => {
    clearTimeout(settle);
    settle = undefined;
    keep(reader.settle());
  };
  const onText = (text: string): void => {
    state.hasText = true;
    if (awaitsFirstText) {
      awaitsFirstText = false;
      backlogUntilMs = clock.now() + COMMAND_BACKLOG_MS;
    }
    keep(reader.push(text));
    clearTimeout(settle);
    settle = setTimeout(settleNow, SETTLE_MS);
    settle.unref();
  };
  const onSource = (file?: string): void => {
    clearTimeout(settle);
    keep(reader.end());
    // Line ordinals go on across files.
    lines = kept.at(-1)?.line ?? lines;
    reader = createLogReader();
    state.state = 'following';
    delete state.reason;
    if (file !== undefined) state.file = file;
    logger?.debug({ file }, 'following the error log');
  };
  const onTrouble = (reason: string): void => {
    state.state = 'waiting';
    state.reason = reason;
    logger?.warn({ reason }, 'the error log cannot be read; hints do without it until it can');
  };

  const source = openSource(options, { onText, onSource, onTrouble }, () => {
    awaitsFirstText = true;
  });
  return {
    entriesSince: (ms) => kept.filter(({ receivedAtMs = 0 }) => receivedAtMs >= ms),
    matching: (selection) => selectEntries(kept, selection),
    async catchUp() {
      await source.catchUp();
      if (settle !== undefined) settleNow();
    },
    state: () => ({ ...state }),
    async close() {
      await source.close();
      settleNow();
    },
  };
}

interface SourceListener {
  onText: (text: string) => void;
  onSource: (file?: string) => void;
  onTrouble: (reason: string) => void;
}

function openSource(
  source: ErrorLogSource,
  { onText, onSource, onTrouble }: SourceListener,
  onCommandStart: () => void,
): FollowedFile {
  if ('path' in source) {
    return followFile({
      pattern: source.path,
      pollMs: POLL_MS,
      onText,
      onFile: onSource,
      onMissing: ({ message }) => onTrouble(message),
    });
  }
  const [program = '', ...args] = source.command;
  const command = followCommand({
    command: [program, ...args],
    onText,
    onStart() {
      onCommandStart();
      onSource();
    },
    onEnd: (reason, restartMs) => onTrouble(`${program}: ${reason}; next try in ${restartMs} ms`),
  });
  return {
    close: command.close,
    catchUp: () => new Promise((resolve) => void setTimeout(resolve, SETTLE_MS)),
  };
}
