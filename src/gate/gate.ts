/**
 * The gate: who may ask (host, origin) and what may be asked (method, target, FHIR interaction).
 * It reads the request head only; everything that follows from the configuration is built once.
 */
import type { IncomingMessage } from 'node:http';

import type { ListenConfig, RouteConfig } from '../config/schema.ts';
import { ProxyError } from '../errors.ts';
import { parseInteraction } from '../fhir/interaction.ts';
import type { Admission, Gate } from './admission.ts';
import { scanFields } from './field-scan.ts';
import { createHostCheck } from './host.ts';
import { createOriginCheck } from './origin.ts';
import { parseParameterNames } from './parameter-names.ts';
import { checkTarget } from './target.ts';

export type { Admission, BodyJudge, Gate } from './admission.ts';

/** What the gate is built from. */
export interface GateOptions {
  listen: ListenConfig;
  routes: readonly RouteConfig[];
}

/** The gate of one configuration. */
export function createGate(options: GateOptions): Gate {
  const checkHost = createHostCheck(options.listen);
  const checkOrigin = createOriginCheck(options.listen);
  const routes = [...options.routes].sort((a, b) => b.path.length - a.path.length);

  return {
    admit(request): Admission {
      return judge(request);
    },
  };

  function judge(request: IncomingMessage): Admission {
    const fields = scanFields(request.rawHeaders);
    const hostError = checkHost(fields);
    if (hostError !== undefined) return { kind: 'refused', error: hostError };
    const target = request.url ?? '';
    const checked = checkTarget(target);
    if (checked instanceof ProxyError) return { kind: 'refused', error: checked };
    const corsFields = checkOrigin(fields);
    if (corsFields instanceof ProxyError) return { kind: 'refused', error: corsFields };
    const method = request.method ?? '';
    const path = target.slice(0, checked.pathLength);
    const query = target.slice(checked.pathLength + 1);
    if (isReserved(path)) return { kind: 'reserved', path, query, corsFields };
    const route = routes.find((each) => isBelow(path, each.path));
    if (route === undefined) {
      const names = routes.map((each) => `"${each.path}"`).join(', ');
      const error = new ProxyError(
        'route-unknown',
        `no route takes this path: the routes are ${names}`,
        { status: 404 },
      );
      return { kind: 'refused', error, fields: corsFields };
    }
    return {
      kind: 'route',
      route,
      target: target.slice(route.path.length),
      interaction: parseInteraction(method, path.slice(route.path.length)),
      parameterNames: parseParameterNames(query),
      corsFields,
    };
  }
}

function isReserved(path: string): boolean {
  return (
    path === '/' ||
    path === '/_proxy' ||
    path.startsWith('/_proxy/') ||
    path === '/.well-known/jwks.json'
  );
}

function isBelow(path: string, base: string): boolean {
  return (
    path.startsWith(base) && (path.length === base.length || path.charCodeAt(base.length) === 0x2f)
  );
}
