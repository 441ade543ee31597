/** The part of a log entry that a hint may show: around the match, short, without ids and values. */
import type { LogEntry } from './error-log/entry.ts';

/** Most characters of an excerpt. */
const MAX_EXCERPT = 300;

/**
 * The decisive part of a log entry on one line, at most 300 characters. Record ids, query values and
 * SQL are blanked: they may be health data.
 */
export function excerptOf(entry: LogEntry, match?: RegExpExecArray): string {
  const text = entry.text
    .replaceAll(/"(?:trace|innerExceptionTrace|validationScopes)":.*/gs, '…')
    .replaceAll(/\s*(?:Query:|Stack trace:).*/gs, ' …')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\?[^\s"']*=[^\s"']*/g, '?…')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (text.length <= MAX_EXCERPT) return text;
  const at = match === undefined ? 0 : Math.max(0, text.indexOf(match[0].slice(0, 40)) - 40);
  const start = at < MAX_EXCERPT / 2 ? 0 : at;
  return `${start > 0 ? '…' : ''}${text.slice(start, start + MAX_EXCERPT)}…`;
}
