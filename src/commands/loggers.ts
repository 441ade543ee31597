/** Logs of commands: where they go and how they look. */
import type { Logger } from '../base/contracts.ts';
import type { ProxyConfig } from '../config/schema.ts';
import { createLogger, type LineLogger } from '../observe/logger.ts';
import { redactText } from '../observe/redaction.ts';
import type { Runtime } from './runtime.ts';

/**
 * Writes warnings and errors as plain sentences to standard error. Those with a `code` are failures,
 * which reach the command as errors; it reports them, once.
 */
export function createWarningLogger({ stderr }: Pick<Runtime, 'stderr'>): Logger {
  const write = (fields: object, message = ''): void => {
    if ('code' in fields) return;
    const { reason } = fields as { reason?: unknown };
    const why = typeof reason === 'string' ? ` (${reason})` : '';
    stderr.write(`warning: ${redactText(`${message}${why}`)}\n`);
  };
  return { debug: () => {}, info: () => {}, warn: write, error: write };
}

/** The log of a proxy that a command runs, on standard error; what is buffered is written at the end of the process. */
export function createProxyLogger(
  runtime: Runtime,
  level: ProxyConfig['log']['level'],
  format: LineLogger['format'] = 'pretty',
): LineLogger {
  const { stderr } = runtime;
  const { fd } = stderr.rawStream as { fd?: number };
  const logger = createLogger({
    format,
    level,
    stream: fd ?? stderr.rawStream,
    color: stderr.isColored,
  });
  runtime.atExit(() => logger.flush());
  return logger;
}

/** A log that goes nowhere. */
export function createSilentLogger(): LineLogger {
  return createLogger({ format: 'json', level: 'silent', stream: 2 });
}
