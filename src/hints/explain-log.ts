/** Explains an error log by itself: line by line, each cause once. */
import type { Hint } from '../base/contracts.ts';
import type { LogEntry } from './error-log/entry.ts';
import { createLogReader } from './error-log/reader.ts';
import { explain } from './match.ts';

/** A cause and how often the log showed it. */
export interface LoggedHint {
  hint: Hint;
  /** Lines that showed it. */
  count: number;
}

/** Most causes that are told apart; beyond them, those of one hint count as one. */
const MOST_CAUSES = 500;

/** Collects what a log explains. */
export interface LogExplainer {
  /** Takes the next text of the log; returns the hints of the lines that it completed, one for each line and cause. */
  push(text: string): Hint[];
  /** Takes entries that were read elsewhere. */
  add(entries: readonly LogEntry[]): Hint[];
  /** The log has ended; returns the hints of its last line. */
  end(): Hint[];
  /** Causes so far, in the order in which they first appeared. */
  hints(): LoggedHint[];
  /** Messages read so far. */
  messages(): number;
}

/** Creates an explainer; it keeps one hint for each cause. */
export function createLogExplainer(): LogExplainer {
  const reader = createLogReader();
  const found = new Map<string, LoggedHint>();
  let messages = 0;

  const add = (entries: readonly LogEntry[]): Hint[] => {
    messages += entries.length;
    const hints: Hint[] = [];
    for (const lineEntries of groupByLine(entries)) {
      for (const hint of explain({ logEntries: lineEntries })) {
        // With a log alone, only what a line proves is worth saying.
        if (hint.certainty !== 'certain') continue;
        hints.push(hint);
        // One hint may have several causes, such as different fatal errors.
        const key = found.size < MOST_CAUSES ? `${hint.id}\n${hint.cause}` : hint.id;
        const known = found.get(key);
        if (known === undefined) found.set(key, { hint, count: 1 });
        else known.count += 1;
      }
    }
    return hints;
  };
  return {
    push: (text) => add(reader.push(text)),
    add,
    end: () => add(reader.end()),
    hints: () => [...found.values()],
    messages: () => messages,
  };
}

/** One line is one request, however many messages it holds. */
function groupByLine(entries: readonly LogEntry[]): LogEntry[][] {
  const groups: LogEntry[][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last?.[0]?.line === entry.line) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}
