import type { Hint, TokenState } from '../../base/contracts.ts';
import { missingScopes } from '../../fhir/scope.ts';
import type { Recorder } from '../recorder.ts';
import { redactText } from '../redaction.ts';

/** What is known of a route at the moment. */
export interface RouteState {
  /** Path on the proxy, such as `/fhir`. */
  path: string;
  /** FHIR base URL of the upstream. */
  upstream: string;
  /** Whether the upstream is the embedded sandbox. */
  sandbox: boolean;
  /** Whether any certificate is accepted. */
  insecure?: boolean;
  token: TokenState;
  /** Explanation of the token's last failure. */
  hints?: readonly Hint[];
  /** The signing key, without the key. */
  key?: {
    id?: string;
    algorithm?: string;
    /** When the key file was last changed, milliseconds since the epoch. */
    changedAtMs?: number;
  };
  /** Product and version of the server, such as `OpenEMR 7.0.3`, once known. */
  server?: string;
  /** Whether the server is known to understand v2 scopes (`system/Patient.rs`). */
  v2Scopes?: boolean;
}

/** What the side of the page shows: per route the token and the scopes used, and the traffic. */
export function buildOverview(
  routes: readonly RouteState[],
  recorder: Recorder,
  nowMs: number,
): object {
  return {
    nowMs,
    routes: routes.map((route) => ({
      ...describeRoute(route),
      scopes: recorder.usedScopes.of(route.path, route.token.grantedScopes),
    })),
    traffic: recorder.traffic.points(),
  };
}

/** A route and the state of its token, as JSON; the token itself is not in it. */
export function describeRoute(route: RouteState): object {
  const { path, upstream, server, sandbox, insecure = false, token, hints = [], key } = route;
  const { lastError, ...state } = token;
  return {
    path,
    upstream,
    sandbox,
    insecure,
    server,
    v2Scopes: route.v2Scopes ?? false,
    key,
    token: {
      ...state,
      missingScopes:
        token.generation === 0 ? [] : missingScopes(token.requestedScopes, token.grantedScopes),
      ...(lastError === undefined
        ? {}
        : { lastError: { code: lastError.code, message: redactText(lastError.message) } }),
      hints: hints.map((hint) => ({ ...hint, evidence: redactText(hint.evidence) })),
    },
  };
}
