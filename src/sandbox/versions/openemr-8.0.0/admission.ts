/**
 * The way of a request under /apis up to its route, as the listeners of OpenEMR 8.0.0 go it: site,
 * session, access token, role. No switch of an API is looked at.
 */
import { checkTokenRow, verifyBearer, type VerifiedToken } from '../../access.ts';
import type { AdmittedRequest, SandboxAnswer, SandboxRequest } from '../../exchange.ts';
import { apiAnswer } from '../../fields.ts';
import { phpJson } from '../../php-json.ts';
import { answerApiFailure } from '../../refusal.ts';
import type { Failure } from '../failure.ts';
import type { SandboxState } from '../profile.ts';
import { csrfRefused, denied, roleRefused, routeNotFound } from './api-failures.ts';
import { databaseDown, LOGIN_PAGE, siteError } from './errors.ts';

/** Paths that need no token, and so does every beginning of one of them. */
const OPEN = [
  '/fhir/metadata',
  '/fhir/.well-known/smart-configuration',
  '/fhir/OperationDefinition',
  '/api/version',
  '/api/product',
];

/** What the routes of the standard API answer that need no token. */
const OPEN_ANSWERS: Readonly<Record<string, object>> = {
  '/api/version': {
    v_major: '8',
    v_minor: '0',
    v_patch: '0',
    v_realpatch: '0',
    v_tag: '-dev',
    v_database: '530',
    v_acl: '12',
  },
  '/api/product': { status: 'UNREGISTERED' },
};

/**
 * @param endpoint what `_REWRITE_COMMAND` says, with a leading slash: `/default/fhir/Patient`
 * @param redirectUrl decoded path that was asked for
 */
export async function admit(
  request: SandboxRequest,
  state: SandboxState,
  endpoint: string,
  redirectUrl: string,
): Promise<AdmittedRequest | { answer: SandboxAnswer }> {
  const refuse = (failure: Failure) => ({ answer: answerApiFailure(request, state, failure) });
  const csrfToken = request.headers['apicsrftoken'];
  if (csrfToken !== undefined && csrfToken !== '') return refuse(LOGIN_PAGE);
  const [, site = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(endpoint) ?? [];
  if (site !== 'default' && site !== '') return refuse(siteError(endpoint, 'apis/dispatch.php'));
  if (state.faults['database-down']) return refuse(databaseDown('apis/dispatch.php'));
  if (csrfToken !== undefined) return refuse(csrfRefused(endpoint));

  // A missing half of the key pair is made anew, with the other half: tokens of before are void.
  if (state.keys.state.publicKeyMissing) state.keys.regenerate();
  const isOpen = request.method === 'OPTIONS' || OPEN.some((path) => path.startsWith(rest));
  const token = isOpen ? undefined : await verifyBearer(request, state);
  if (typeof token === 'string') return refuse(denied());
  if (token !== undefined) {
    const problem = checkTokenRow(token, request, state, rest);
    if (problem !== undefined) return { answer: problem };
  }
  if (!rest.includes('/fhir/')) {
    return { answer: answerStandardApi(request, state, { endpoint, path: rest }, token) };
  }
  return {
    request: {
      ...request,
      site: site === '' ? 'default' : site,
      resource: rest.replace(/^\/fhir/, ''),
      redirectUrl,
    },
    access: token === undefined ? undefined : { clientId: token.clientId, scopes: token.scopes },
  };
}

/** The standard and the portal API, of which a system token may use nothing. */
function answerStandardApi(
  request: SandboxRequest,
  state: SandboxState,
  { endpoint, path }: { endpoint: string; path: string },
  token: VerifiedToken | undefined,
): SandboxAnswer {
  const body = OPEN_ANSWERS[path];
  if (body !== undefined && request.method === 'GET') {
    return apiAnswer(request, state, { status: 200, body: phpJson(body) });
  }
  const failure =
    token === undefined
      ? routeNotFound('standard', `/apis/dispatch.php${endpoint === '/' ? '' : endpoint}`)
      : roleRefused(path);
  return answerApiFailure(request, state, failure);
}
