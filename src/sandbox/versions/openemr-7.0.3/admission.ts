/**
 * The way of a request under /apis up to its route, as dispatch.php of OpenEMR 7.0.3 goes it: site,
 * access token, token row, API switches.
 */
import { checkTokenRow, verifyBearer, type VerifiedToken } from '../../access.ts';
import type { AdmittedRequest, SandboxAnswer, SandboxRequest } from '../../exchange.ts';
import { answerApiFailure } from '../../refusal.ts';
import type { FailureDetail } from '../failure.ts';
import type { SandboxState } from '../profile.ts';
import { ADMISSION_FAILURES, type AdmissionFailureName } from './api-failures.ts';

const OPEN = ['/fhir/metadata', '/fhir/.well-known/smart-configuration'];
const OPEN_LIST = '/fhir/OperationDefinition';

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
  const refuse = (name: AdmissionFailureName, detail: FailureDetail = {}) => ({
    answer: answerApiFailure(request, state, ADMISSION_FAILURES[name](detail)),
  });
  if ((request.headers['apicsrftoken'] ?? '') !== '') return refuse('local-call');

  const segments = endpoint.slice(1).split('/');
  const site = segments.length > 1 ? (segments[0] ?? '') : '';
  const preflight = request.method === 'OPTIONS';
  if (!preflight && !siteFolderExists(site, state)) return refuse('site-error');

  const resource = site === '' ? endpoint : endpoint.replaceAll(`/${site}`, '');
  const open = preflight || OPEN.includes(resource) || OPEN_LIST.startsWith(resource);
  let token: VerifiedToken | undefined;
  if (!open) {
    if (site !== 'default' || state.keys.state.publicKeyMissing) {
      return refuse('public-key-missing', { resource: endpoint });
    }
    const verified = await verifyBearer(request, state);
    if (typeof verified === 'string') {
      return refuse('bearer-refused', { hint: verified, resource: endpoint });
    }
    if (!verified.scopes.includes(`site:${site}`)) return refuse('site-of-token');
    token = verified;
  }
  if (!preflight && site !== 'default') return refuse('site-unknown', { site });
  if (state.faults['database-down']) return refuse('database-down');

  if (token !== undefined) {
    request.log.debug('dispatch.php authenticating user');
    const problem = checkTokenRow(token, request, state, resource);
    if (problem !== undefined) return { answer: problem };
  }
  const lower = resource.toLowerCase();
  if (token !== undefined && !lower.includes('/fhir/') && /\/(?:api|portal)\//.test(lower)) {
    return refuse('api-not-covered');
  }
  if (!lower.includes('/fhir/')) return refuse('not-an-api', { resource });
  if (token !== undefined) {
    request.log.debug('dispatch.php valid role and system has access to api/fhir resource', {
      resource,
    });
  }
  if (!state.settings.fhirApi) return refuse('fhir-api-off', { resource });
  return {
    request: { ...request, site, resource: resource.replace(/^\/fhir/, ''), redirectUrl },
    access: token === undefined ? undefined : { clientId: token.clientId, scopes: token.scopes },
  };
}

function siteFolderExists(site: string, state: SandboxState): boolean {
  return site === 'default' || state.settings.emptySites.includes(site);
}
