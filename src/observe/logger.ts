import { pino, stdTimeFunctions } from 'pino';

import type { Logger } from '../base/contracts.ts';
import { toPlainJson } from '../base/plain-text.ts';
import type { LogConfig } from '../config/schema.ts';
import { createLineBuffer } from './line-buffer.ts';
import { createPalette, formatClock, formatFields, oneLine, type Palette } from './pretty.ts';
import { redactFields, redactText } from './redaction.ts';

/** Severities, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How to log. */
export interface LoggerOptions {
  /** `pretty`: aligned lines for people; `json`: one object a line. */
  format: 'pretty' | 'json';
  /** Least severity that is written. */
  level: LogConfig['level'];
  /** File descriptor or stream to write to. A file descriptor is faster and can be flushed at exit. */
  stream: NodeJS.WritableStream | number;
  /** Whether pretty lines carry ANSI colours; default false. */
  color?: boolean;
}

/** The logger of the program: structured calls, whole lines for what formats itself, and a flush. */
export interface LineLogger extends Logger {
  readonly format: 'pretty' | 'json';
  /** Colours for lines written with `line`; paints nothing when colours are off. */
  readonly palette: Palette;
  /** Whether something of this severity would be written: ask before formatting. */
  enabled(level: LogLevel): boolean;
  /** Writes finished text, line end included, as it is. For text without secrets only. */
  line(text: string): void;
  /** Writes out what is buffered; call before the process ends. */
  flush(): void;
}

const SEVERITY: Readonly<Record<LogConfig['level'], number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: Infinity,
};

/** How long a line may wait for company, in milliseconds: people watch pretty lines. */
const DELAY_MS = { pretty: 15, json: 100 } as const;

/**
 * Creates the logger. JSON lines have `time` (ISO 8601), `level` (a word) and `msg`; the fields of
 * the call follow. Every call passes {@link redactFields}: no token, assertion, key or cookie is
 * written. Errors are written as code, message and codes of their causes; the stack at debug only.
 */
export function createLogger(options: LoggerOptions): LineLogger {
  const { format, level, stream, color = false } = options;
  const buffer = createLineBuffer(stream, DELAY_MS[format]);
  const palette = createPalette(color && format === 'pretty');
  const least = SEVERITY[level];
  const redaction = { stacks: level === 'debug' };
  // JSON passes here whole; pretty lines have colours, so their parts are cleaned where they are made.
  const writeLine =
    format === 'json'
      ? (line: string) => buffer.write(toPlainJson(line))
      : (line: string) => buffer.write(line);
  const write =
    format === 'json' ? createJsonWriter(writeLine) : createPrettyWriter(writeLine, palette);

  const call = (at: LogLevel) => (fields: object, message?: string) => {
    if (SEVERITY[at] < least) return;
    write(at, redactFields(fields, redaction), message === undefined ? '' : redactText(message));
  };
  return {
    format,
    palette,
    enabled: (at) => SEVERITY[at] >= least,
    debug: call('debug'),
    info: call('info'),
    warn: call('warn'),
    error: call('error'),
    line: writeLine,
    flush: () => buffer.flush(),
  };
}

type Write = (level: LogLevel, fields: Record<string, unknown>, message: string) => void;

function createJsonWriter(writeLine: (line: string) => void): Write {
  const logger = pino(
    {
      base: null,
      level: 'debug',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: writeLine },
  );
  return (level, fields, message) => logger[level](fields, message);
}

function createPrettyWriter(writeLine: (line: string) => void, palette: Palette): Write {
  const mark = {
    debug: palette.dim('debug'),
    info: palette.blue('info '),
    warn: palette.yellow('warn '),
    error: palette.red('error'),
  };
  return (level, fields, message) => {
    const clock = palette.dim(formatClock(Date.now()));
    writeLine(`${clock}  ${mark[level]}  ${oneLine(message)}${formatFields(fields, palette)}\n`);
  };
}
