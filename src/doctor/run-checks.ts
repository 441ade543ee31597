import type { Clock, Logger } from '../base/contracts.ts';
import { ConfigError, ProxyError } from '../base/errors.ts';
import { untilAborted } from '../base/until-aborted.ts';
/** Runs the checks of a configuration, one after the other, and goes on past failures. */
import type { ProxyConfig, RouteConfig } from '../config/schema.ts';
import { type Destination, openDestination } from '../routes/destination.ts';
import type { RouteCheck } from './check.ts';
import { ROUTE_CHECKS } from './checks.ts';
import { checkPort } from './port.ts';
import { type CheckResult, fail, type Finding, skip } from './result.ts';
import { createSubject, type Subject } from './subject.ts';

/** Settings of {@link runChecks}. */
export interface RunChecksOptions {
  /** Time source; default the system's. */
  clock?: Clock;
  /** For what happens underneath; nobody needs it to understand the results. */
  logger: Logger;
  /** Whether "errorLogCommand" of a route may run; default false, for doctor starts no program unasked. */
  runsLogCommands?: boolean;
  /** Path of the only route to check; default: all of them. */
  route?: string | undefined;
  /** Whether the proxy itself is running in this process: then its port is not checked. */
  listening?: boolean;
  /** Ends the checks: the promise then rejects with its reason, once everything is closed. */
  signal?: AbortSignal;
  /** Called before a check that may take time. */
  onStart?: (check: string, route?: string) => void;
  /** Called with each result as soon as it is there. */
  onResult?: (result: CheckResult) => void;
  /** Opens where a route leads; default: as the proxy does, with a sandbox of its own if need be. */
  openDestination?: (config: RouteConfig) => Promise<Destination>;
}

/**
 * Checks everything that a proxy with this configuration depends on. Writes nothing; asks the server
 * what the proxy would ask it, and gets one token for each route. Never rejects because of a failed check.
 *
 * @returns every result, in the order of the checks
 */
export async function runChecks(
  config: ProxyConfig,
  options: RunChecksOptions,
): Promise<CheckResult[]> {
  const { route: wanted, listening = false, onStart, onResult } = options;
  const results: CheckResult[] = [];
  const tell = (result: CheckResult): void => {
    results.push(result);
    onResult?.(result);
  };
  if (!listening) {
    onStart?.('port');
    tell({ check: 'port', ...(await checkPort(config.listen)) });
  }
  for (const route of config.routes) {
    if (wanted !== undefined && route.path !== wanted) continue;
    await checkRoute(route, options, tell);
  }
  return results;
}

async function checkRoute(
  config: RouteConfig,
  options: RunChecksOptions,
  tell: (result: CheckResult) => void,
): Promise<void> {
  const {
    clock = Date,
    logger,
    signal,
    runsLogCommands = false,
    onStart,
    openDestination: open = openDestination,
  } = options;
  const { path: route } = config;
  const destination = await open(config);
  const subject = createSubject(config, destination, { clock, logger, runsLogCommands });
  const without = new Map<string, string>();
  try {
    for (const check of ROUTE_CHECKS) {
      const needs = typeof check.needs === 'function' ? check.needs(config) : check.needs;
      const lacking = needs.find((name) => without.has(name));
      if (lacking === undefined) onStart?.(check.name, route);
      const findings =
        lacking === undefined
          ? await untilAborted(findingsOf(check, subject), signal)
          : [skip(`needs "${without.get(lacking)}"`)];
      // What has failed or was skipped is named by the first cause, not by what stands in between.
      if (lacking !== undefined) without.set(check.name, without.get(lacking) ?? lacking);
      else if (findings.some(({ status }) => status === 'fail' || status === 'skip')) {
        without.set(check.name, check.name);
      }
      for (const finding of findings) tell({ check: check.name, route, ...finding });
    }
  } finally {
    await subject.close();
    await destination.close();
  }
}

async function findingsOf(check: RouteCheck, subject: Subject): Promise<readonly Finding[]> {
  try {
    return await check.run(subject);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map(({ path, message, remedy }) => {
        const [what, fix] = remedy === undefined ? splitRemedy(message) : [message, remedy];
        return fail(`${path}: ${what}`, fix);
      });
    }
    if (error instanceof ProxyError) return [fail(...splitRemedy(error.message))];
    throw error;
  }
}

/** Messages of our own errors end with what to do, after a full stop. */
function splitRemedy(message: string): [message: string, fix?: string] {
  const at = message.lastIndexOf('. ');
  return at === -1 ? [message] : [message.slice(0, at), message.slice(at + 2)];
}
