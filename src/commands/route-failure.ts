/** A failure to get a token, reported with its hints. */
import type { Hint } from '../base/contracts.ts';
import type { ProxyError } from '../base/errors.ts';
import { createDiagnosis } from '../routes/diagnosis.ts';
import type { Route } from '../routes/route.ts';
import { formatHint } from './hint-text.ts';
import { reportFailure } from './report.ts';
import type { Runtime } from './runtime.ts';

/** The hints for a failure to get a token; at most three, the surest first. */
export async function explainTokenFailure(
  route: Route,
  error: ProxyError,
  startedAtMs: number,
): Promise<readonly Hint[]> {
  return createDiagnosis(route, Date).explainError({ method: 'GET', startedAtMs }, error);
}

/** Writes the failure to standard error, its hints below it, and gives the exit code. */
export function reportWithHints(
  error: ProxyError,
  hints: readonly Hint[],
  runtime: Runtime,
): number {
  const code = reportFailure(error, runtime);
  const { stderr } = runtime;
  if (hints.length > 0) stderr.write('\n');
  for (const hint of hints) stderr.write(formatHint(hint, stderr));
  return code;
}
