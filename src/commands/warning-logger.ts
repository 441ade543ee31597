/** Logs of commands whose result stands on standard output. */
import type { ProxyConfig } from '../config/schema.ts';
import type { Logger } from '../contracts.ts';
import { createLogger, type LineLogger } from '../observe/logger.ts';
import { redactText } from '../observe/redaction.ts';
import type { Runtime } from './runtime.ts';

/**
 * Writes warnings and errors as plain sentences to standard error. Those with a `code` are failures,
 * which reach the command as errors and are told once, by it.
 */
export function createWarningLogger({ stderr }: Pick<Runtime, 'stderr'>): Logger {
  const tell = (fields: object, message = ''): void => {
    if (!('code' in fields)) stderr.write(`warning: ${redactText(message)}\n`);
  };
  return { debug: () => {}, info: () => {}, warn: tell, error: tell };
}

/** The log of a proxy that runs beside something else: pretty lines on standard error. */
export function createProxyLogger(
  runtime: Runtime,
  level: ProxyConfig['log']['level'],
): LineLogger {
  const { stderr } = runtime;
  const { fd } = stderr.stream as { fd?: number };
  const logger = createLogger({
    format: 'pretty',
    level,
    stream: fd ?? stderr.stream,
    color: stderr.isTTY,
  });
  runtime.atExit(() => logger.flush());
  return logger;
}
