import { pino } from 'pino';

import type { Logger } from '../../src/base/contracts.ts';
import { createSecretWatch, type SecretWatch } from './secrets.ts';

/** A real logger whose lines a test can read; nothing secret may be in them. */
export interface TestLog {
  readonly logger: Logger;
  readonly watch: SecretWatch;
  /** Entries so far, oldest first: `level` is a name, `msg` the sentence, the rest the fields. */
  entries(level?: 'debug' | 'info' | 'warn' | 'error'): LogEntry[];
}

/** One line of the log. */
export interface LogEntry {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A log at level debug. */
export function createTestLog(): TestLog {
  const watch = createSecretWatch();
  const logger = pino(
    { level: 'debug', base: null, formatters: { level: (label) => ({ level: label }) } },
    watch.stream,
  );
  return {
    logger,
    watch,
    entries: (level) =>
      watch
        .lines()
        .map((line) => JSON.parse(line) as LogEntry)
        .filter((entry) => level === undefined || entry.level === level),
  };
}
