/** Several things to make ready, whose problems belong together. */
import { ConfigError } from './errors.ts';

/**
 * Waits for all of them. What one cannot do is no reason not to hear of the others: rejects with a
 * ConfigError that holds the problems of each, or with the first rejection that is none.
 */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<void> {
  assertAllMade(await Promise.allSettled(promises));
}

/** Throws what {@link settleAll} rejects with. */
export function assertAllMade(results: readonly PromiseSettledResult<unknown>[]): void {
  const reasons = new Set<unknown>(
    results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])),
  );
  const defect = [...reasons].find((reason) => !(reason instanceof ConfigError));
  if (defect !== undefined) throw defect;
  const [only, another] = reasons;
  if (only !== undefined && another === undefined) throw only;
  const problems = ([...reasons] as ConfigError[]).flatMap((error) => error.problems);
  if (problems.length > 0) throw new ConfigError(problems);
}
