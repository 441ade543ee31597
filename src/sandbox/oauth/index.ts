/** /oauth2: OpenEMR's authorize.php, which looks for the first known word anywhere in the path. */
import type { SandboxAnswer, SandboxRequest } from '../exchange.ts';
import { EMPTY_TYPE } from '../fields.ts';
import { answerOauthFailure, refuseOauth } from '../refusal.ts';
import type { SandboxState } from '../versions/profile.ts';
import { answerJwk, answerOpenidConfiguration } from './discovery.ts';
import { answerRegistration } from './registration.ts';
import { answerToken } from './token-endpoint.ts';

type Endpoint = (
  request: SandboxRequest,
  state: SandboxState,
  site: string,
) => Promise<SandboxAnswer>;

/** In the order in which OpenEMR looks for them. */
const ENDPOINTS: readonly (readonly [word: string, answer: Endpoint])[] = [
  ['/token', answerToken],
  ['/openid-configuration', answerOpenidConfiguration],
  ['/jwk', answerJwk],
  ['/registration', answerRegistration],
];

/** @param endpoint what `_REWRITE_COMMAND` says, with a leading slash: `/default/token` */
export async function answerOauth(
  request: SandboxRequest,
  state: SandboxState,
  endpoint: string,
): Promise<SandboxAnswer> {
  const { http } = state.version;
  const intercepted = http.interceptOauth(request);
  if (intercepted !== undefined) return answerOauthFailure(request, state, intercepted);
  const site = http.oauthSite(endpoint);
  if (typeof site !== 'string') return answerOauthFailure(request, state, site);
  if (state.faults['database-down']) return refuseOauth(request, state, 'database-down');
  const { standardApi, fhirApi, portalApi } = state.settings;
  if (!standardApi && !fhirApi && !portalApi) return refuseOauth(request, state, 'api-disabled');
  if (request.method === 'OPTIONS') {
    const fields = http.oauthFields(request, state.clock.now(), { session: 'left' });
    return { status: 200, fields: [...fields, ['Content-Type', EMPTY_TYPE]], body: '' };
  }
  request.log.debug('oauth2 request received', { endpoint });
  const lower = endpoint.toLowerCase();
  for (const [word, answer] of ENDPOINTS) {
    if (lower.includes(word)) return answer(request, state, site);
  }
  return refuseOauth(request, state, 'endpoint-unknown');
}
