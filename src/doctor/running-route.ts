import type { Clock, Logger } from '../base/contracts.ts';
/** The checks of a route that is in operation, as the inspector shows them. */
import type { ProxyConfig } from '../config/schema.ts';
import type { CheckResult as ShownResult } from '../observe/inspector/actions.ts';
import type { Route } from '../routes/route.ts';
import type { CheckResult, CheckStatus } from './result.ts';
import { runChecks } from './run-checks.ts';

const SHOWN: Readonly<Record<CheckStatus, ShownResult['result']>> = {
  ok: 'pass',
  warn: 'warn',
  fail: 'fail',
  skip: 'skip',
};
/** The results tell everything; nothing of it is for the log. */
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs the checks of `doctor` against the server, or the sandbox, that the route is using. */
export async function checkRunningRoute(
  config: ProxyConfig,
  { config: route, destination }: Route,
  clock: Clock,
): Promise<ShownResult[]> {
  // As it is by now: a route may have changed since the proxy was started.
  const results = await runChecks(
    { ...config, routes: [route] },
    {
      clock,
      logger: SILENT,
      listening: true,
      // The proxy runs it already.
      runsLogCommands: true,
      // It stays open: the route goes on using it.
      openDestination: () => Promise.resolve({ ...destination, close: () => Promise.resolve() }),
    },
  );
  return results.map(show);
}

function show({ check, status, message, fix, hint }: CheckResult): ShownResult {
  return {
    title: check,
    result: SHOWN[status],
    detail: hint === undefined ? message : `${message}. ${hint.title}`,
    ...(fix === undefined ? {} : { fix }),
  };
}
