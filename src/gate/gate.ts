import { ProxyError } from '../base/errors.ts';
/**
 * The gate: who may ask (host, origin, API key) and what may be asked (method, target, FHIR
 * interaction). It reads the request head only; what follows from the configuration is built once.
 */
import { METHODS } from '../config/access-schema.ts';
import type { ListenConfig, RouteConfig } from '../config/schema.ts';
import { refuseMethod } from './access.ts';
import type { Admission, Gate, Refusal, RequestHead } from './admission.ts';
import { API_KEY_CHALLENGE, createApiKeyCheck } from './api-key.ts';
import { scanFields } from './field-scan.ts';
import type { ScannedFields } from './field-scan.ts';
import { checkFraming, checkVersion, createCondemned } from './framing.ts';
import { createHostCheck } from './host.ts';
import { createOriginCheck } from './origin.ts';
import { buildOptionsFields } from './preflight.ts';
import { createRouteGate } from './route-gate.ts';
import type { RouteGate } from './route-gate.ts';
import { isBelow, isReservedPath, refusePath } from './routing.ts';
import { checkTarget } from './target.ts';

export type {
  Admission,
  BodyJudge,
  Gate,
  PreflightAdmission,
  Refusal,
  RequestHead,
  ReservedAdmission,
  RouteAdmission,
} from './admission.ts';

/** What the gate is built from. */
export interface GateOptions {
  listen: ListenConfig;
  routes: readonly RouteConfig[];
}

const KNOWN_METHODS = new Set<string>([...METHODS, 'OPTIONS']);
/** `Allow` where no route says less. */
const ALLOW = [...KNOWN_METHODS].join(', ');
/** The rest of such a connection cannot be trusted to be what it seems. */
const CLOSE: readonly string[] = ['Connection', 'close'];

/** The gate of one configuration. */
export function createGate(options: GateOptions): Gate {
  const { limits, apiKey } = options.listen;
  const checkHost = createHostCheck(options.listen);
  const checkOrigin = createOriginCheck(options.listen);
  const checkApiKey = createApiKeyCheck(apiKey);
  const routes = options.routes.map((route) => createRouteGate(route));
  const bases = options.routes.map((route) => route.path);
  const condemned = createCondemned();
  // The longest path that takes a request wins.
  routes.sort((a, b) => b.base.length - a.base.length);

  return { admit };

  function admit(request: RequestHead): Admission {
    const { rawHeaders, method = '', url = '' } = request;
    const fields = scanFields(rawHeaders);
    const framingError =
      condemned.get(request.socket) ??
      checkVersion(request.httpVersion) ??
      checkFraming(rawHeaders, url, fields, limits);
    if (framingError !== undefined) {
      condemned.add(request.socket, framingError);
      return refused(framingError, CLOSE);
    }
    const hostError = checkHost(fields);
    if (hostError !== undefined) return refused(hostError);
    const target = checkTarget(url);
    if (target instanceof ProxyError) return refused(target);
    const corsFields = checkOrigin(fields);
    if (corsFields instanceof ProxyError) return refused(corsFields);
    if (!KNOWN_METHODS.has(method)) {
      return refused(refuseMethod(method, METHODS), ['Allow', ALLOW, ...corsFields]);
    }
    const path = target.pathLength === url.length ? url : url.slice(0, target.pathLength);
    // A preflight carries no credentials (Fetch standard), so it cannot be asked for a key.
    if (method === 'OPTIONS') return answerOptions(path, fields, corsFields);
    const keyError = checkApiKey(fields, path);
    if (keyError !== undefined) return refused(keyError, [...API_KEY_CHALLENGE, ...corsFields]);
    const query = url.slice(target.pathLength + 1);
    if (isReservedPath(path)) return { kind: 'reserved', path, query, corsFields };
    const route = findRoute(routes, path);
    if (route === undefined) return refused(refusePath(path, bases), corsFields);
    return route.admit({ method, url, path, query, fields, corsFields });
  }

  function answerOptions(
    path: string,
    fields: ScannedFields,
    corsFields: readonly string[],
  ): Admission {
    const allow = findRoute(routes, path)?.rules.allow ?? ALLOW;
    return { kind: 'preflight', fields: buildOptionsFields(fields, corsFields, allow) };
  }
}

function findRoute(routes: readonly RouteGate[], path: string): RouteGate | undefined {
  for (const route of routes) {
    if (isBelow(path, route.base)) return route;
  }
  return undefined;
}

function refused(error: ProxyError, fields?: readonly string[]): Refusal {
  return fields === undefined || fields.length === 0
    ? { kind: 'refused', error }
    : { kind: 'refused', error, fields };
}
