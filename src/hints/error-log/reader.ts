/** Turns the text of an error log into entries, line by line or in chunks as it grows. */
import { stripCarriers } from './carrier.ts';
import type { LogEntry } from './entry.ts';
import { findRecordEnd, isApacheLine, parseLine, startsRecord } from './line.ts';
import { parseMessage } from './message.ts';

/** Most characters kept of one line, and of one record of several lines; the rest is dropped. */
const LONGEST_RECORD_CHARACTERS = 65_536;

/** Incremental reader. */
export interface LogReader {
  /**
   * Takes the next piece of text, cut anywhere. Returns the entries that are complete; a record that
   * may go on in the next line waits for it.
   */
  push(chunk: string): LogEntry[];
  /** Returns the record that was waiting for further lines; half a line goes on waiting. */
  settle(): LogEntry[];
  /** Returns all that was waiting, half a line too. The reader may be used further. */
  end(): LogEntry[];
}

/** Creates a reader; it keeps at most 128 KiB, however long lines are. */
export function createLogReader(): LogReader {
  let partial = '';
  /** Lines of the record that may go on, and their length with a line feed for each. */
  let lines: string[] = [];
  let length = 0;
  let isLast = (_line: string): boolean => true;
  let line = 0;
  /** Who wrote the record that may go on, as its carriers name it. */
  let source = '';

  const flushRecord = (): LogEntry[] => {
    // Apache never breaks a line; if one is broken, a terminal did it.
    const record = lines.join(isApacheLine(lines[0] ?? '') ? '' : '\n');
    lines = [];
    length = 0;
    if (record.trim() === '') return [];
    line += 1;
    return parseRecord(record, line);
  };
  const keepLine = (text: string): void => {
    const room = LONGEST_RECORD_CHARACTERS - length;
    if (room > 0) lines.push(text.slice(0, room));
    length += text.length + 1;
  };
  const takeLine = (carried: string): LogEntry[] => {
    // `tail -F` of several files names them between blank lines.
    if (/^==> .{0,4096} <==$/.test(carried)) return flushRecord();
    const stripped = stripCarriers(carried);
    if (stripped === undefined) return [];
    const { text } = stripped;
    // A blank line begins nothing.
    if (length === 0 && text === '') return [];
    const begins = startsRecord(text);
    // What was wrapped at the width of a terminal has no carrier of its own.
    const sameSource = stripped.source === source || stripped.source === '';
    if (length > 0 && !begins && sameSource) {
      keepLine(text);
      return isLast(text) ? flushRecord() : [];
    }
    const before = flushRecord();
    keepLine(text);
    source = stripped.source;
    // A line that begins no record stands for itself: what comes next may be another one's.
    isLast = begins ? findRecordEnd(text) : () => true;
    return isLast(text) ? [...before, ...flushRecord()] : before;
  };

  return {
    push(chunk) {
      const out: LogEntry[] = [];
      let from = 0;
      for (let at = chunk.indexOf('\n'); at !== -1; at = chunk.indexOf('\n', from)) {
        const room = Math.max(0, LONGEST_RECORD_CHARACTERS - partial.length);
        const text = partial + chunk.slice(from, Math.min(at, from + room));
        partial = '';
        from = at + 1;
        out.push(...takeLine(text.endsWith('\r') ? text.slice(0, -1) : text));
      }
      partial += chunk.slice(from, from + Math.max(0, LONGEST_RECORD_CHARACTERS - partial.length));
      return out;
    },
    settle: flushRecord,
    end() {
      const out = partial === '' ? [] : takeLine(partial);
      partial = '';
      return [...out, ...flushRecord()];
    },
  };
}

/** Parses a whole text: lines of an error log, pasted or read from a file. */
export function parseLogLines(text: string): LogEntry[] {
  const reader = createLogReader();
  return [...reader.push(text), ...reader.end()];
}

function parseRecord(record: string, line: number): LogEntry[] {
  const { timeMs, level, messages } = parseLine(record);
  return messages.map(({ text, raw, fromPhp }) =>
    parseMessage(text, {
      line,
      raw,
      fromPhp,
      ...(timeMs === undefined ? {} : { timeMs }),
      ...(level === undefined ? {} : { level }),
    }),
  );
}
