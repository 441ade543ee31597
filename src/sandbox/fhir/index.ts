/** The FHIR endpoints: what answers once a request has passed `access.ts`. */
import { callDetail, checkScope } from '../access.ts';
import type { Access, FhirRequest, SandboxAnswer } from '../exchange.ts';
import { apiAnswer } from '../fields.ts';
import { parsePhpForm, parsePhpQuery } from '../php-form.ts';
import { refuseApi } from '../refusal.ts';
import type { SandboxState } from '../versions/profile.ts';
import { buildBundle } from './bundle.ts';
import { answerJson, createCall } from './call.ts';
import type { FhirCall } from './call.ts';
import { buildCapabilityStatement, buildStatusOperation } from './capabilities.ts';
import type { ServerFacts } from './capabilities.ts';
import { PhpFatalError, PhpMemoryError } from './errors.ts';
import { answerBinary, answerExportDelete, answerExportStatus, answerKickOff } from './export.ts';
import { answerRead, answerSearch } from './read.ts';
import type { ResourceType } from './resource-types.ts';
import { findRoute } from './route.ts';
import type { Route, RouteKind } from './route.ts';
import type { SearchParameters } from './search.ts';
import { answerCreate, answerUpdate } from './write.ts';

/** Name that OpenEMR's rewrite rule gives the path in the query; not a parameter of the caller's. */
const REWRITE_COMMAND = '_REWRITE_COMMAND';
const SEARCH_BY_POST = '/_search';

/**
 * @param access what the token allows; undefined on the open routes (`/metadata`,
 * `/.well-known/smart-configuration`, the list `/OperationDefinition`) and for OPTIONS
 */
export async function answerFhir(
  request: FhirRequest,
  state: SandboxState,
  access: Access | undefined,
): Promise<SandboxAnswer> {
  if (request.method === 'OPTIONS' && state.version.http.answersOptions) {
    return apiAnswer(request, state, { status: 200 });
  }
  const { method, path, parameters } = await normalizeSearch(request);
  logStart(request, method, path, access, parameters);
  const { fhir, scopes } = state.version;
  const route = findRoute(fhir.types, method, path);
  if (route === undefined) {
    return refuseApi(request, state, 'route-unknown', callDetail(request, state, access));
  }
  const needed = fhir.requiredScope(route);
  if (!route.open) {
    logMatch(request, path, route);
    const refused = checkScope(request, state, access, needed);
    if (refused !== undefined) return refused;
  }
  const restrictions = scopes.restrictions(access?.scopes ?? [], needed);
  try {
    return serve(createCall({ request, state, access, route, parameters, restrictions }));
  } catch (error) {
    if (error instanceof PhpMemoryError) return refuseApi(request, state, 'memory-exhausted');
    if (!(error instanceof PhpFatalError)) throw error;
    return refuseApi(request, state, error.failure, { message: error.message });
  }
}

type Handler = (call: FhirCall) => SandboxAnswer;

const HANDLERS: Readonly<Record<RouteKind, Handler>> = {
  capabilities: answerCapabilities,
  'smart-configuration': (call) => {
    const { version, settings } = call.state;
    const document = version.fhir.smartConfiguration(facts(call), version.scopes.smart(settings));
    return answerJson(call, document, 'smart-configuration');
  },
  'operation-definitions': (call) => {
    const bundle = buildBundle([buildStatusOperation()], call.selfUrl, call.nowMs);
    return answerJson(call, bundle, 'operation-definitions');
  },
  'operation-definition': (call) => answerJson(call, buildStatusOperation(), 'resource'),
  export: answerKickOff,
  'export-status': answerExportStatus,
  'export-delete': answerExportDelete,
  binary: answerBinary,
  search: (call) => answerSearch(call, typeOf(call)),
  read: (call) => answerRead(call, typeOf(call)),
  create: (call) => answerCreate(call, typeOf(call)),
  update: (call) => answerUpdate(call, typeOf(call)),
};

function answerCapabilities(call: FhirCall): SandboxAnswer {
  const { capabilities, capabilitiesWarning, types } = call.state.version.fhir;
  if (capabilitiesWarning !== undefined) call.request.log.write(capabilitiesWarning);
  const statement = buildCapabilityStatement(facts(call), types, capabilities);
  return answerJson(call, statement, 'capabilities');
}

function serve(call: FhirCall): SandboxAnswer {
  return HANDLERS[call.route.kind](call);
}

function typeOf({ route }: FhirCall): ResourceType {
  if (route.type === undefined) throw new TypeError(`route "${route.definition}" has no type`);
  return route.type;
}

function facts({ state, request, apiBase, nowMs }: FhirCall): ServerFacts {
  const base = apiBase.slice(0, -`/apis/${request.site}`.length);
  return {
    fhirBase: `${apiBase}/fhir`,
    oauthBase: `${base}/oauth2/${request.site}`,
    version: state.version.version,
    nowMs,
  };
}

/**
 * OpenEMR turns `POST /Patient/_search` into `GET /Patient`; what query and form body both name are
 * then two values of one parameter.
 */
async function normalizeSearch(
  request: FhirRequest,
): Promise<{ method: string; path: string; parameters: SearchParameters }> {
  const { method, resource } = request;
  const parameters = new Map<string, string[]>();
  for (const [name, value] of parsePhpQuery(request.query)) {
    if (name !== REWRITE_COMMAND) parameters.set(name, [value]);
  }
  if (method !== 'POST' || !resource.endsWith(SEARCH_BY_POST)) {
    return { method, path: resource, parameters };
  }
  const form = await parsePhpForm(request.headers['content-type'], request.body);
  for (const [name, value] of form ?? []) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return { method: 'GET', path: resource.slice(0, -SEARCH_BY_POST.length), parameters };
}

function logStart(
  { log }: FhirRequest,
  method: string,
  path: string,
  access: Access | undefined,
  parameters: SearchParameters,
): void {
  log.debug('HttpRestRouteHandler::dispatch() start request', {
    resource: '',
    method,
    user: '',
    role: access === undefined ? '' : 'system',
    client: access?.clientId ?? '',
    apiType: 'fhir',
    route: `/fhir${path}`,
    queryParams: Object.fromEntries([...parameters].map(([name, [value]]) => [name, value])),
  });
}

function logMatch({ log }: FhirRequest, path: string, route: Route): void {
  log.debug('HttpRestParsedRoute->__construct() matched', {
    routePath: `${route.method} ${route.definition}`,
    requestPath: `/fhir${path}`,
    method: route.method,
    routeParams: route.parameter === undefined ? [] : [route.parameter],
    resource: route.resource ?? '',
    operation: route.operation ?? '',
  });
}
