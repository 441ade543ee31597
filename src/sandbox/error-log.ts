/**
 * The error log as Apache writes it when PHP-FPM stands behind mod_proxy_fcgi: all messages of one
 * request packed in one AH01071 line, cut and escaped the same way.
 */
import { appendFileSync } from 'node:fs';

import type { Clock } from '../base/contracts.ts';
import type { LogMessage } from './versions/failure.ts';

/** Bytes of one message, its `PHP message: ` included, after which PHP-FPM cuts it and writes `...`. */
const MESSAGE_BYTES = 1012;
/** Apache's own limit of a line is 8192; longer collections are spread over lines. */
const LINE_BYTES = 8000;
const PREFIX = 'PHP message: ';

/** Log of one request; nothing is written before `flush`. */
export interface RequestLog {
  /** An `OpenEMR.ERROR` message. Context strings are HTML-escaped, as OpenEMR does. */
  error(message: string, context?: LogContext): void;
  /** An `OpenEMR.EMERGENCY` message. */
  emergency(message: string, context?: LogContext): void;
  /** An `OpenEMR.DEBUG` message; dropped unless System Error Logging is set to Debug. */
  debug(message: string, context?: LogContext): void;
  /** A message of PHP itself or of `error_log()`, such as `PHP Warning:  …`. Newlines stay newlines. */
  php(text: string): void;
  /** Any message of a version profile. */
  write(message: LogMessage): void;
  /** A line of Apache's own, such as `AH01623: client method denied …`; written at once. */
  apache(module: string, text: string, options?: { withClient?: boolean; before?: string }): void;
  /** Writes what was collected as one line. */
  flush(): void;
}

/** Context of a message: an object, or a list. A `Date` is written as PHP writes a DateTime. */
export type LogContext = Readonly<Record<string, unknown>> | readonly unknown[];

/** The error log of a sandbox. */
export interface ErrorLog {
  /** Path of the file. */
  readonly path: string;
  /** @param client `address:port`; @param referer value of the request's Referer field, which Apache appends */
  open(client: string, referer?: string): RequestLog;
}

/**
 * @param options.path file to append to; made when it is not there
 * @param options.debug asked for each debug message
 */
export function createErrorLog(options: {
  path: string;
  clock: Clock;
  debug: () => boolean;
}): ErrorLog {
  const { path, clock, debug } = options;
  // PHP-FPM keeps a few workers; which one answers does not matter to any reader.
  const worker = 1000 + Math.floor(Math.random() * 30_000);
  appendFileSync(path, '');

  const apacheLine = (module: string, text: string, origin: string): void => {
    const head = `[${apacheTime(clock.now())}] [${module}:error] [pid ${worker}:tid ${worker}]`;
    appendFileSync(path, `${head}${origin} ${text}\n`);
  };

  return {
    path,
    open(client, referer) {
      let messages: string[] = [];
      const from = ` [client ${client}]`;
      const monolog = (level: string, message: string, context?: LogContext): void => {
        const written = context === undefined ? '[]' : JSON.stringify(escapeContext(context));
        messages.push(`[${monologTime(clock.now())}] OpenEMR.${level}: ${message} ${written} []`);
      };
      const log: RequestLog = {
        error: (message, context) => monolog('ERROR', message, context),
        emergency: (message, context) => monolog('EMERGENCY', message, context),
        debug: (message, context) => {
          if (debug()) monolog('DEBUG', message, context);
        },
        php: (text) => void messages.push(text),
        write: (message) => {
          if ('php' in message) log.php(message.php);
          else if (message.level !== 'DEBUG' || debug()) {
            monolog(message.level, message.message, message.context);
          }
        },
        apache: (module, text, { withClient = true, before = '' } = {}) => {
          apacheLine(module, text, `${before === '' ? '' : ` ${before}`}${withClient ? from : ''}`);
        },
        flush: () => {
          for (const line of packLines(messages)) {
            const suffix = referer === undefined ? '' : `, referer: ${escapeForApache(referer)}`;
            apacheLine('proxy_fcgi', `AH01071: Got error '${line}'${suffix}`, from);
          }
          messages = [];
        },
      };
      return log;
    },
  };
}

function packLines(messages: readonly string[]): string[] {
  const lines: string[] = [];
  for (const message of messages) {
    const text = escapeForApache(cut(PREFIX + message));
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < LINE_BYTES) {
      lines[lines.length - 1] = `${last}; ${text}`;
    } else lines.push(text);
  }
  return lines;
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= MESSAGE_BYTES ? text : `${bytes.toString('latin1', 0, MESSAGE_BYTES)}...`;
}

/** Apache's ap_escape_errorlog_item: backslashes doubled, control characters named, quotes left alone. */
function escapeForApache(text: string): string {
  const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' };
  // oxlint-disable-next-line no-control-regex -- these are the bytes that Apache escapes
  return text.replace(/[\u0000-\u001f\u007f-\uffff\\]/g, (char) => {
    if (char === '\\') return '\\\\';
    const name = named[char];
    if (name !== undefined) return name;
    return [...Buffer.from(char, char.charCodeAt(0) < 256 ? 'latin1' : 'utf8')]
      .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
      .join('');
  });
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function apacheTime(nowMs: number): string {
  const date = new Date(nowMs);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const time = date.toISOString().slice(11, 23);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time}${micros()} ${date.getUTCFullYear()}`;
}

function monologTime(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 23)}${micros()}+00:00`;
}

function micros(): string {
  return String(Math.floor((performance.now() % 1) * 1000)).padStart(3, '0');
}

/** OpenEMR's SystemLogger: strings are HTML-escaped, objects become their JSON first, `null` an empty string. */
function escapeContext(value: unknown): unknown {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (value instanceof Date) return escapeHtml(JSON.stringify(phpDate(value)));
  if (Array.isArray(value)) return value.map(escapeContext);
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 0) return [];
    return Object.fromEntries(entries.map(([key, member]) => [key, escapeContext(member)]));
  }
  return value;
}

/** A DateTimeImmutable as json_encode writes it. */
function phpDate(date: Date): Record<string, unknown> {
  const text = Number.isNaN(date.getTime())
    ? ''
    : date.toISOString().replace('T', ' ').replace('Z', '000');
  return { date: text, timezone_type: 1, timezone: '+00:00' };
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#039;');
}
