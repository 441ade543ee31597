/**
 * Takes a line of an error log apart: who wrote it (Apache, PHP's own log file), when, and
 * the messages it carries. PHP-FPM behind Apache packs several messages into one line.
 */
import type { LogLevel } from './entry.ts';

/** A line without its prefixes. */
export interface LogLine {
  /** `apache`: the line came through Apache's log, which escapes and never breaks a line. */
  carrier: 'apache' | 'php' | 'none';
  timeMs?: number;
  level?: LogLevel;
  /** The messages, unescaped. */
  messages: { text: string; raw: string; fromPhp: boolean }[];
}

const APACHE =
  /^\[(?:[A-Z][a-z]{2}) ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2})(\.\d+)? (\d{4})\] (?:\[([\w-]*):(\w+)\] )?/;
const APACHE_FIELDS =
  /^(?:\[(?:pid|tid|client|remote|unique_id)[^\]]*\] |\(\d+\)[^:[\]]{1,120}: )+/;
const PHP = /^\[(\d{2})-([A-Z][a-z]{2})-(\d{4}) (\d{2}):(\d{2}):(\d{2})(?: [\w/+:-]+)?\] /;
const MONOLOG =
  /^(?:\[\d{4}-\d{2}-\d{2}[T ][\d:.]+(?:[+-]\d{2}:?\d{2}|Z)?\] )?[A-Za-z]\w*\.[A-Z]+: /;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const GOT_ERROR = /^(?:AH01071: )?Got error '(.*?)'?(?:, referer: .*)?$/s;
const LEVELS: Readonly<Record<string, LogLevel>> = {
  emerg: 'emergency',
  alert: 'alert',
  crit: 'critical',
  error: 'error',
  warn: 'warning',
  notice: 'notice',
  info: 'info',
  debug: 'debug',
};

/** Whether a line has the head that Apache writes. */
export function isApacheLine(line: string): boolean {
  return APACHE.test(line);
}

/** Whether a line starts a record: it has a prefix that continuation lines never have. */
export function startsRecord(rest: string): boolean {
  return (
    APACHE.test(rest) ||
    PHP.test(rest) ||
    MONOLOG.test(rest) ||
    /^(?:PHP [A-Z]|AH\d{5}: )/.test(rest)
  );
}

/**
 * How the record ends that begins with this line: tells of its lines, the first among them, whether
 * it cannot go on in the next one.
 */
export function findRecordEnd(first: string): (line: string) => boolean {
  if (APACHE.test(first)) return (line) => !isWrapped(first, line);
  return MONOLOG.test(first.replace(PHP, '')) ? endsWithExtra : endsWithPlace;
}

/** Narrowest terminal at whose edge a line is taken to be wrapped. */
const NARROWEST_COLUMNS = 60;

/**
 * Whether a line of a record of Apache, which never breaks one, was broken at the width of a
 * terminal: it is as long as the first one, and says that more must follow.
 */
function isWrapped(first: string, line: string): boolean {
  if (line.length !== first.length || first.length < NARROWEST_COLUMNS) return false;
  const text = line.trimEnd();
  return !(endsWithExtra(text) || text.endsWith("[]'"));
}

/** Monolog's last two parts: context, and extra as `[]` or an object. */
function endsWithExtra(line: string): boolean {
  const text = line.trimEnd();
  if (text.endsWith('}')) return /[\]}] \{/.test(text);
  return text.endsWith('] []') || text.endsWith('} []');
}

/** PHP's own messages. */
function endsWithPlace(line: string): boolean {
  return / on line \d+$/.test(line.trimEnd());
}

/** Takes one record apart. */
export function parseLine(record: string): LogLine {
  const apache = APACHE.exec(record);
  if (apache !== null) return parseApacheLine(record, apache);
  const php = PHP.exec(record);
  const text = php === null ? record : record.slice(php[0].length);
  const [, day = '', month = '', year = '', hour = '', minute = '', second = ''] = php ?? [];
  return {
    carrier: php === null ? 'none' : 'php',
    ...(php === null
      ? {}
      : { timeMs: utcTime({ year, month, day, hour, minute, second: Number(second) }) }),
    messages: splitPhpMessages(text),
  };
}

function parseApacheLine(line: string, head: RegExpExecArray): LogLine {
  const [
    prefix,
    month = '',
    day = '',
    hour = '',
    minute = '',
    second = '',
    fraction = '',
    year = '',
  ] = head;
  const level = LEVELS[(head[9] ?? '').replace(/\d$/, '')];
  const rest = line.slice(prefix.length);
  const message = rest.replace(APACHE_FIELDS, '');
  // Apache gives one number to two failures; what the system said tells them apart.
  const wasCut = message.startsWith('AH01075: ') && rest.slice(0, 200).includes('Connection reset');
  const body = wasCut ? `${message} (Connection reset by peer)` : message;
  const got = GOT_ERROR.exec(body);
  const fromPhp = got !== null || head[8] === 'php' || head[8] === 'php7';
  const escaped = splitPhpMessages(got?.[1] ?? body);
  return {
    carrier: 'apache',
    timeMs: utcTime({ year, month, day, hour, minute, second: Number(`${second}${fraction}`) }),
    ...(level === undefined ? {} : { level }),
    messages: escaped.map(({ raw, fromPhp: named }) => ({
      raw,
      text: undoApacheEscapes(raw),
      fromPhp: fromPhp || named,
    })),
  };
}

function splitPhpMessages(text: string): LogLine['messages'] {
  return text
    .split(/(?:^|; )PHP message: /)
    .filter((part) => part.trim() !== '')
    .map((raw) => ({ text: raw, raw, fromPhp: /^PHP [A-Z]/.test(raw) || text !== raw }));
}

/** Apache writes `\\` for a backslash, `\n` for a line feed and `\xhh` for bytes beyond ASCII. */
function undoApacheEscapes(text: string): string {
  return text.replace(/(?:\\x[0-9a-f]{2})+|\\([\\nrtbv])/gi, (all, plain: string | undefined) => {
    if (plain === undefined) return Buffer.from(all.replaceAll('\\x', ''), 'hex').toString('utf8');
    return { n: '\n', r: '\r', t: '\t', b: '\b', v: '\v' }[plain] ?? plain;
  });
}

function utcTime(parts: {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: number;
}): number {
  const month = MONTHS.indexOf(parts.month) / 3;
  const whole = Date.UTC(
    Number(parts.year),
    month,
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
  );
  return whole + Math.floor(parts.second * 1000);
}
