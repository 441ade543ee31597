/** Why `init` ended without a token. */
import { describeEnabling, type WaitingClient } from '../registration/enabling-steps.ts';
import { reportWithHints } from '../route-failure.ts';
import { EXIT } from '../runtime.ts';
import { isDisabledClient, type Waiting } from './enabling.ts';
import { commandWithConfig } from './result.ts';
import type { InitSession } from './session.ts';

/**
 * Says on standard error that the client is not enabled, where that is what the wait was for and
 * nothing speaks against it; else the failure with its hints.
 *
 * @returns the exit code
 */
export function reportNoToken(
  { error, hints, timedOut, waitedMs }: Extract<Waiting, { error: unknown }>,
  client: WaitingClient,
  session: InitSession,
): number {
  const steps = describeEnabling(client);
  if (!timedOut || steps === undefined || !isDisabledClient(error, hints)) {
    return reportWithHints(error, hints, session);
  }
  const isCertain = hints.some(
    ({ id, certainty }) => id === 'client-disabled' && certainty === 'certain',
  );
  session.stderr.write(
    [
      `error: the client is still not enabled after ${Math.round(waitedMs / 1000)} s`,
      ...steps.map((step) => `  ${step}`),
      ...(isCertain
        ? []
        : [
            `If it is enabled there, "${commandWithConfig('doctor', session.file, session.cwd)}" looks for other causes`,
          ]),
      '',
    ].join('\n'),
  );
  return EXIT.failed;
}
