/** Whether the error log of the server can be read: without it most refusals stay unexplained. */
import { pathInMessage } from '../config/path-in-message.ts';
import { type ErrorLogFollower, followErrorLog } from '../hints/error-log/follow.ts';
import type { RouteCheck } from './check.ts';
import { fail, type Finding, ok, skip, warn } from './result.ts';
import type { Subject } from './subject.ts';

/** Most milliseconds that it has to open. */
const OPENS_MS = 5_000;
/** A command that cannot do its work ends soon. */
const COMMAND_PROVES_MS = 500;
const LOOK_MS = 25;

/** Opens the log as the proxy would. */
export const errorLogCheck: RouteCheck = {
  name: 'error-log',
  needs: [],
  async run(subject) {
    const { config, runsLogCommands } = subject;
    if (config.errorLogCommand !== undefined && !runsLogCommands) {
      return [
        skip(
          `"${config.errorLogCommand[0]}" prints it, and runs only when asked: --error-log-command`,
        ),
      ];
    }
    const follower = openLog(subject);
    if (follower === undefined) {
      return [
        warn(
          'not configured: OpenEMR tells the cause of a refused token only there',
          'Set "errorLog" of the route to its path, or "errorLogCommand" to a command that prints it, such as ["docker", "compose", "exec", "-T", "openemr", "tail", "-F", "/var/log/apache2/error.log"]',
        ),
      ];
    }
    try {
      return [await judge(follower, subject)];
    } finally {
      await follower.close();
    }
  },
};

function openLog({ config, destination, clock }: Subject): ErrorLogFollower | undefined {
  if (config.errorLogCommand !== undefined) {
    return followErrorLog({ command: config.errorLogCommand, clock });
  }
  const { errorLog } = destination;
  return errorLog === undefined ? undefined : followErrorLog({ path: errorLog, clock });
}

async function judge(follower: ErrorLogFollower, { config }: Subject): Promise<Finding> {
  const { errorLogCommand } = config;
  const wait = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));
  const untilMs = performance.now() + OPENS_MS;
  while (follower.state().state === 'starting' && performance.now() < untilMs) await wait(LOOK_MS);
  if (errorLogCommand !== undefined) await wait(COMMAND_PROVES_MS);
  const { state, file, reason = 'it does not open' } = follower.state();
  if (state === 'following') {
    return ok(
      errorLogCommand === undefined
        ? `${pathInMessage(file ?? '')} can be read`
        : `"${errorLogCommand[0]}" runs and prints it`,
    );
  }
  return errorLogCommand === undefined
    ? fail(
        `cannot be read: ${reason}`,
        'Correct "errorLog", or give the user of the proxy the right to read it: on Debian sudo usermod -aG adm <user>, then log in anew',
      )
    : fail(
        `cannot be read: ${reason}`,
        'Run the command of "errorLogCommand" by hand, and correct it until it prints the log',
      );
}
