/** The part of a log entry that a hint may show: around the match, short, without ids and values. */
import type { LogEntry } from './error-log/entry.ts';

/** Most characters of an excerpt. */
const LONGEST_EXCERPT_CHARACTERS = 300;

/**
 * Text with what may be health data blanked: ids of records, values in queries, SQL with its values.
 * What OpenEMR says about a request keeps its meaning without them.
 */
export function withoutValues(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\?[^\s"']*/g, (query) => (query.includes('=') ? '?…' : query))
    .replaceAll(/\b(SQL error|Query:|Duplicate entry).*/gs, '$1 …');
}

/** The decisive part of a log entry on one line, at most 300 characters, without values. */
export function excerptOf(entry: LogEntry, match?: RegExpExecArray): string {
  const text = withoutValues(
    entry.text
      .replaceAll(/"(?:trace|innerExceptionTrace|stack|validationScopes|sql|params)":.*/gs, '…')
      .replaceAll(/Stack trace:.*/gs, ' …'),
  )
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (text.length <= LONGEST_EXCERPT_CHARACTERS) return text;
  const at = match === undefined ? 0 : text.indexOf(match[0].replaceAll(/\s+/g, ' ').slice(0, 40));
  const start = at < LONGEST_EXCERPT_CHARACTERS / 2 ? 0 : at - 40;
  return `${start > 0 ? '…' : ''}${text.slice(start, start + LONGEST_EXCERPT_CHARACTERS)}…`;
}

/**
 * The same text with memory of its own: V8 keeps the whole of a long text, such as the body of an
 * answer, for as long as a part is in use that was cut out of it.
 */
export function detach(text: string): string {
  return Buffer.from(text).toString();
}
