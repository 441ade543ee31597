/**
 * The routes of OpenEMR's FHIR API. A route is found by method and path before anything is checked:
 * what has no route is a 404 even without the scope for it.
 */
import type { ResourceType } from './resource-types.ts';

/** What a route does. */
export type RouteKind =
  | 'capabilities'
  | 'smart-configuration'
  | 'operation-definitions'
  | 'operation-definition'
  | 'export'
  | 'export-status'
  | 'export-delete'
  | 'binary'
  | 'search'
  | 'read'
  | 'create'
  | 'update';

/** A route that a request has found. */
export interface Route {
  kind: RouteKind;
  method: string;
  /** Path as OpenEMR's route table writes it, such as `/fhir/Patient/:uuid`. */
  definition: string;
  /** First segment of the path, which the scope names; undefined at the base. */
  resource?: string;
  /** Operation with its `$`. */
  operation?: string;
  /** The resource type, on the routes that serve one. */
  type?: ResourceType;
  /** Id or other parameter of the path. */
  parameter?: string;
  /** Whether no token and no scope is asked for. */
  open: boolean;
}

type RouteDefinition = Omit<Route, 'parameter'> & { pattern: RegExp };

const PARAMETER = '([a-zA-Z0-9\\-_$:]+)';

/** Of every version, in the order in which OpenEMR tries them: operations before ids. */
const COMMON: readonly RouteDefinition[] = [
  define('GET', '/metadata', 'capabilities', { open: true }),
  define('GET', '/.well-known/smart-configuration', 'smart-configuration', { open: true }),
  define('GET', '/OperationDefinition', 'operation-definitions', { open: true }),
  define('GET', '/OperationDefinition/:operation', 'operation-definition'),
  define('GET', '/$export', 'export'),
  define('GET', '/Patient/$export', 'export'),
  define('GET', '/Group/:id/$export', 'export'),
  define('GET', '/$bulkdata-status', 'export-status'),
  define('DELETE', '/$bulkdata-status', 'export-delete'),
  define('GET', '/Binary/:id', 'binary'),
];

/** By the types of a version. */
const routeTables = new WeakMap<readonly ResourceType[], readonly RouteDefinition[]>();

/**
 * @param types that the version serves
 * @param method request method; that of a search by `POST` is `GET` here
 * @param path path below the FHIR base, with its leading slash
 */
export function findRoute(
  types: readonly ResourceType[],
  method: string,
  path: string,
): Route | undefined {
  let routes = routeTables.get(types);
  if (routes === undefined) {
    routes = [...COMMON, ...types.flatMap(routesOfType)];
    routeTables.set(types, routes);
  }
  for (const { pattern, ...route } of routes) {
    if (route.method !== method) continue;
    const match = pattern.exec(path);
    if (match === null) continue;
    const [, parameter] = match;
    return parameter === undefined ? route : { ...route, parameter };
  }
  return undefined;
}

function routesOfType(type: ResourceType): RouteDefinition[] {
  // Its documents are served by a route of their own, and made by an operation that is not served.
  if (type.name === 'Binary') return [];
  const creates = type.interactions.includes('create') && type.name !== 'DocumentReference';
  return [
    define('GET', `/${type.name}`, 'search', { type }),
    ...(type.interactions.includes('read')
      ? [define('GET', `/${type.name}/:uuid`, 'read', { type })]
      : []),
    ...(creates ? [define('POST', `/${type.name}`, 'create', { type })] : []),
    ...(type.interactions.includes('update')
      ? [define('PUT', `/${type.name}/:uuid`, 'update', { type })]
      : []),
  ];
}

function define(
  method: string,
  path: string,
  kind: RouteKind,
  rest: { type?: ResourceType; open?: boolean } = {},
): RouteDefinition {
  const segments = path.slice(1).split('/');
  const operation = segments.find((segment) => segment.startsWith('$'));
  const [resource] = segments;
  const pattern = path.replaceAll(/[.$]/g, String.raw`\$&`).replaceAll(/:[a-z]+/g, () => PARAMETER);
  return {
    method,
    kind,
    definition: `/fhir${path}`,
    pattern: new RegExp(`^${pattern}$`),
    ...(resource === undefined || resource === operation ? {} : { resource }),
    ...(operation === undefined ? {} : { operation }),
    ...(rest.type === undefined ? {} : { type: rest.type }),
    open: rest.open ?? false,
  };
}
