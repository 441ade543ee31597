/** The log line that decided a hint, for readers who did not ask for its context. */
import type { Hint } from './contracts.ts';

const FROM_LOG = 'error log: ';

/**
 * The sentence of the log line in a hint's evidence, without its context, whose members may hold
 * values; undefined when something else than a log line decided.
 */
export function quoteLogLine({ evidence }: Pick<Hint, 'evidence'>): string | undefined {
  if (!evidence.startsWith(FROM_LOG)) return undefined;
  const line = evidence.slice(FROM_LOG.length);
  const context = line.search(/ ?[{[]"/);
  return context === -1 ? line : line.slice(0, context);
}
