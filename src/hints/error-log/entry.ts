/** One message of OpenEMR's error log, however many of them a line held. */

/** Severity; Monolog's names (RFC 5424), which are also Apache's and PHP's where they have them. */
export type LogLevel =
  | 'debug'
  | 'info'
  | 'notice'
  | 'warning'
  | 'error'
  | 'critical'
  | 'alert'
  | 'emergency';

/** Who wrote a message: OpenEMR through Monolog, PHP itself, or Apache. */
export type LogSource = 'openemr' | 'php' | 'apache';

/** A message with what could be read from it; holds no credential. */
export interface LogEntry {
  source: LogSource;
  /** Ordinal of the line (or multi-line record) in what its reader was given, from 1; messages of one line share it, and one line is one request. */
  line: number;
  /**
   * When it was written by the server's clock, milliseconds since the epoch. Apache's and PHP's own
   * times carry no zone and are read as UTC; undefined when the line has no time.
   */
  timeMs?: number;
  /** When a follower received it, by our clock; undefined when it was parsed from text. */
  receivedAtMs?: number;
  level?: LogLevel;
  /** The sentence, without prefixes and context. */
  message: string;
  /** Monolog's context, HTML-decoded; undefined when there was none or the line was cut inside it. */
  context?: Readonly<Record<string, unknown>>;
  /**
   * Sentence and context as text, escapes of Apache, JSON and HTML undone, at most 16 KiB: what
   * patterns are tried on, complete or cut.
   */
  text: string;
  /** The message as written, credentials blanked, at most 16 KiB. */
  raw: string;
}
