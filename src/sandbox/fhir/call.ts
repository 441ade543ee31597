/** A call of a FHIR route: what every kind of route is given, and the answers they share. */
import type { Access, Field, FhirRequest, SandboxAnswer } from '../exchange.ts';
import { apiAnswer } from '../fields.ts';
import { phpJson } from '../php-json.ts';
import { serverBase } from '../state.ts';
import type { SandboxState } from '../versions/profile.ts';
import type { FhirDocument } from '../versions/profile.ts';
import type { Resource } from './resource.ts';
import { withAbsoluteUrls } from './resources/document-reference.ts';
import type { Route } from './route.ts';
import type { SearchParameters } from './search.ts';

/** One call. */
export interface FhirCall {
  request: FhirRequest;
  state: SandboxState;
  /** Undefined on open routes. */
  access: Access | undefined;
  route: Route;
  /** Query, and the form body of a search by `POST`. */
  parameters: SearchParameters;
  /** What the token's scopes restrict every search and read to; empty for nothing. */
  restrictions: SearchParameters;
  /** Absolute URL up to the site, such as `https://localhost:9300/apis/default`. */
  apiBase: string;
  /** Absolute URL of the path that was asked for. */
  selfUrl: string;
  nowMs: number;
}

/** A call of a route that was found and allowed. */
export function createCall(
  call: Pick<FhirCall, 'request' | 'state' | 'access' | 'route' | 'parameters' | 'restrictions'>,
): FhirCall {
  const { request, state } = call;
  const base = serverBase(request, state.settings);
  return {
    ...call,
    apiBase: `${base}/apis/${request.site}`,
    selfUrl: `${base}${request.redirectUrl}`,
    nowMs: state.clock.now(),
  };
}

/** An answer with a JSON body. @param document names it for the version's rule of escaping slashes */
export function answerJson(
  { request, state }: FhirCall,
  body: unknown,
  document: FhirDocument,
  status = 200,
): SandboxAnswer {
  const { fhir, http } = state.version;
  const options = { slashes: fhir.escapesSlashes.has(document), markup: http.hexesMarkup };
  return apiAnswer(request, state, { status, body: phpJson(body, options) });
}

/** An answer without a body. */
export function answerEmpty(
  { request, state }: FhirCall,
  status: number,
  rest: { fields?: Field[]; contentType?: string | null } = {},
): SandboxAnswer {
  return apiAnswer(request, state, { status, ...rest });
}

/** A resource as this call's answer shows it. */
export function present(call: FhirCall, resource: Resource): Resource {
  return call.state.version.fhir.present(withAbsoluteUrls(resource, call.apiBase));
}
