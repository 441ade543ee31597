/** Whether the error log of the server can be read: without it most refusals stay unexplained. */
import { pathInMessage } from '../config/path-in-message.ts';
import { type ErrorLogFollower, followErrorLog } from '../hints/error-log/follow.ts';
import type { RouteCheck } from './check.ts';
import { fail, type Finding, ok, skip, warn } from './result.ts';
import type { Subject } from './subject.ts';

/** Most milliseconds that it has to open. */
const OPENS_MS = 5_000;
/** A command that has printed something and goes on this long is taken to follow the log. */
const GOES_ON_MS = 500;
/** A command that cannot do its work may need this long to find out: `docker exec` on a busy machine takes seconds. */
const SILENT_COMMAND_MS = 5_000;
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
  await until(() => follower.state().state !== 'starting', OPENS_MS);
  if (errorLogCommand !== undefined) return judgeCommand(follower, errorLogCommand[0]);
  const { state, file, reason = 'it does not open' } = follower.state();
  return state === 'following'
    ? ok(`${pathInMessage(file ?? '')} can be read`)
    : fail(
        `cannot be read: ${reason}`,
        'Correct "errorLog", or give the user of the proxy the right to read it: on Debian sudo usermod -aG adm <user>, then log in anew',
      );
}

/** A command is good when it goes on: one that ends is started again, so its end must be seen as it happens. */
async function judgeCommand(follower: ErrorLogFollower, program = ''): Promise<Finding> {
  const ended = (): boolean => follower.state().state !== 'following';
  const printed = (): boolean => follower.state().hasText;
  if (await until(() => ended() || printed(), SILENT_COMMAND_MS)) await until(ended, GOES_ON_MS);
  const { state, reason = 'it does not start' } = follower.state();
  if (state !== 'following') {
    return fail(
      `cannot be read: ${reason}`,
      'Run the command of "errorLogCommand" by hand, and correct it until it prints the log',
    );
  }
  return ok(
    printed()
      ? `"${program}" runs and prints it`
      : `"${program}" runs; it has printed nothing in ${SILENT_COMMAND_MS / 1000} s, as is right for a log that is quiet`,
  );
}

/** Waits until the condition holds; false when it does not in time. */
async function until(holds: () => boolean, mostMs: number): Promise<boolean> {
  const endMs = performance.now() + mostMs;
  while (!holds()) {
    if (performance.now() >= endMs) return false;
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
  }
  return true;
}
