/** The FHIR endpoints: what answers once a request has passed `access.ts`. */
import type { Access, FhirRequest, SandboxAnswer, SandboxState } from '../exchange.ts';
import { apiAnswer } from '../fields.ts';
import { refuseApi } from '../refusal.ts';
import { serverBase } from '../state.ts';

/**
 * @param access what the token allows; undefined on the open routes (`/metadata`,
 * `/.well-known/smart-configuration`, the list `/OperationDefinition`) and for OPTIONS
 */
export async function answerFhir(
  request: FhirRequest,
  state: SandboxState,
  _access: Access | undefined,
): Promise<SandboxAnswer> {
  const nowMs = state.clock.now();
  const base = serverBase(request, state.settings);
  if (request.method === 'GET' && request.resource === '/metadata') {
    const body = JSON.stringify({
      resourceType: 'CapabilityStatement',
      status: 'active',
      date: new Date(nowMs).toISOString().slice(0, 10),
      kind: 'instance',
      software: { name: 'OpenEMR', version: state.version.version },
      implementation: {
        description: 'OpenEMR FHIR API',
        url: `${base}/apis/${request.site}/fhir`,
      },
      fhirVersion: '4.0.1',
      format: ['application/json'],
    });
    return apiAnswer(request, nowMs, { status: 200, body });
  }
  if (request.method === 'GET' && request.resource === '/.well-known/smart-configuration') {
    const oauth = `${base}/oauth2/${request.site}`;
    const body = JSON.stringify({
      authorization_endpoint: `${oauth}/authorize`,
      token_endpoint: `${oauth}/token`,
      registration_endpoint: `${oauth}/registration`,
      scopes_supported: [state.version.announcedScopes(state.settings)],
    });
    return apiAnswer(request, nowMs, { status: 200, body });
  }
  if (request.method === 'OPTIONS') return apiAnswer(request, nowMs, { status: 200 });
  return refuseApi(request, state, 'route-unknown');
}
