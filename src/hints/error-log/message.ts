/** Reads one message: Monolog's shape (time, channel, level, sentence, context), PHP's own, or anything. */
import type { LogEntry, LogLevel, LogSource } from './entry.ts';
import { redactCredentials } from './redact.ts';

/** Most characters kept of a message, as text and as written. */
const LONGEST_MESSAGE_CHARACTERS = 16_384;

const MONOLOG =
  /^(?:\[(\d{4}-\d{2}-\d{2}[T ][\d:.]+(?:[+-]\d{2}:?\d{2}|Z)?)\] )?([A-Za-z]\w*)\.(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY): /;
const PHP_KIND = /^PHP (Fatal error|Parse error|Warning|Notice|Deprecated|Recoverable fatal error)/;
const PHP_LEVELS: Readonly<Record<string, LogLevel>> = {
  'Fatal error': 'critical',
  'Parse error': 'critical',
  'Recoverable fatal error': 'error',
  Warning: 'warning',
  Notice: 'notice',
  Deprecated: 'notice',
};
const HTML: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#039;': "'",
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

/** What the line around a message says about it. */
export interface MessageOrigin {
  line: number;
  raw: string;
  timeMs?: number;
  level?: LogLevel;
  /** Whether PHP wrote it (or OpenEMR through PHP), not Apache. */
  fromPhp: boolean;
}

/** Builds the entry of one message; credentials are blanked in every member. */
export function parseMessage(message: string, origin: MessageOrigin): LogEntry {
  const whole = message.slice(0, LONGEST_MESSAGE_CHARACTERS);
  const monolog = MONOLOG.exec(whole);
  const php = PHP_KIND.exec(whole);
  const rest = monolog === null ? whole : whole.slice(monolog[0].length);
  const { sentence, tail, context } = monolog === null ? plain(rest) : splitContext(rest);
  const timeMs = monolog?.[1] === undefined ? origin.timeMs : Date.parse(monolog[1]);
  const level =
    monolog === null
      ? (PHP_LEVELS[php?.[1] ?? ''] ?? origin.level)
      : (monolog[3]?.toLowerCase() as LogLevel);
  const source: LogSource =
    monolog !== null || /^OpenEMR Error\b/i.test(whole)
      ? 'openemr'
      : origin.fromPhp || php !== null
        ? 'php'
        : 'apache';
  return {
    source,
    line: origin.line,
    ...(timeMs === undefined || Number.isNaN(timeMs) ? {} : { timeMs }),
    ...(level === undefined ? {} : { level }),
    message: redactCredentials(sentence),
    ...(context === undefined ? {} : { context }),
    text: redactCredentials(`${sentence}${tail === '' ? '' : ` ${undoJsonEscapes(tail)}`}`),
    raw: redactCredentials(origin.raw.slice(0, LONGEST_MESSAGE_CHARACTERS)),
  };
}

interface Split {
  sentence: string;
  tail: string;
  context?: Readonly<Record<string, unknown>>;
}

function plain(text: string): Split {
  return { sentence: text.trim(), tail: '' };
}

/** Monolog ends a line with context and extra, both JSON, `[]` when empty. */
function splitContext(text: string): Split {
  const body = text.trimEnd().replace(/ (?:\[\]|\{\})$/, '');
  if (body.endsWith(' []')) return { sentence: body.slice(0, -3).trim(), tail: '' };
  let at = body.search(/ [{[]["\w[{]/);
  const first = at;
  for (let tries = 0; at !== -1 && tries < 5; tries += 1) {
    const context = parseContext(body.slice(at + 1));
    if (context !== undefined) {
      return { sentence: body.slice(0, at).trim(), tail: body.slice(at + 1), context };
    }
    const next = body.slice(at + 1).search(/ [{[]["\w[{]/);
    at = next === -1 ? -1 : at + 1 + next;
  }
  return first === -1
    ? { sentence: body.trim(), tail: '' }
    : { sentence: body.slice(0, first).trim(), tail: body.slice(first + 1) };
}

function parseContext(json: string): Readonly<Record<string, unknown>> | undefined {
  const last = json.at(-1);
  if (last !== '}' && last !== ']') return undefined;
  try {
    // OpenEMR 8.2 keeps real line feeds inside the strings.
    const value: unknown = JSON.parse(
      json.replaceAll('\r', '').replaceAll('\n', String.raw`\n`),
      decode,
    );
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const SECRET_MEMBER =
  /^(?:signature|client_secret|client_assertion|.*_token|password|cookie|authorization|d|p|q|dp|dq|qi|k)$/i;

function decode(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return SECRET_MEMBER.test(name) ? '<blank>' : redactCredentials(decodeHtml(value));
}

/** OpenEMR escapes the values of a context for HTML. */
function decodeHtml(text: string): string {
  return text.replace(/&(?:quot|#0?39|lt|gt|amp);/g, (entity) => HTML[entity] ?? entity);
}

function undoJsonEscapes(json: string): string {
  const text = json.replace(/\\(?:u([0-9a-f]{4})|(["\\/bfnrt]))/gi, (_all, hex, plain: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex as string, 16));
    return { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[plain] ?? plain;
  });
  return decodeHtml(text);
}
