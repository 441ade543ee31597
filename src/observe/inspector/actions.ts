import type { ServerResponse } from 'node:http';

import { ProxyError } from '../../base/errors.ts';
import { redactText } from '../redaction.ts';
import { sendError, sendJson } from './answers.ts';
import { describeRoute, type RouteState } from './overview.ts';

/** Result of one check of a route. */
export interface CheckResult {
  /** What was checked, a few words. */
  title: string;
  result: 'pass' | 'warn' | 'fail' | 'skip';
  /** What was found. */
  detail?: string;
  /** What to do, as an imperative. */
  fix?: string;
}

/** What the page can have done. */
export interface InspectorActions {
  /** Gets a new token for a route, whatever the state of the old one. Rejects with TokenError. */
  renew(route: string): Promise<void>;
  /** Runs the checks of `doctor` for a route; without it the page has no such button. */
  check?(route: string): Promise<readonly CheckResult[]>;
}

/**
 * Answers `POST /_proxy/routes/PATH/renew` and `…/check`, PATH being the percent-encoded path of a
 * route without its first slash.
 *
 * @param rest what follows `/_proxy/routes/`
 */
export function performAction(
  response: ServerResponse,
  rest: string,
  routes: () => readonly RouteState[],
  actions: InspectorActions,
): void {
  const [, encoded = '', what = ''] = /^(.+)\/(renew|check)$/.exec(rest) ?? [];
  const find = () => routes().find(({ path }) => encodeURIComponent(path.slice(1)) === encoded);
  const route = find();
  const canCheck = actions.check !== undefined;
  if (route === undefined || what === '' || (what === 'check' && !canCheck)) {
    sendError(response, 404, 'no such route, or nothing of this kind can be done with it');
    return;
  }
  const done =
    what === 'check' && actions.check !== undefined
      ? actions.check(route.path).then((results) => ({ results }))
      : actions.renew(route.path).then(() => describeRoute(find() ?? route));
  done.then(
    (value) => sendJson(response, value),
    (error: unknown) => sendError(response, 502, messageOf(error)),
  );
}

function messageOf(error: unknown): string {
  return error instanceof ProxyError
    ? redactText(error.message)
    : 'it failed for an unknown reason';
}
