/**
 * The way of a request under /apis up to its route: site, access token, token row, API switches; and
 * the scope check that the routes call. Order and outcomes are those of OpenEMR's dispatch.php.
 */
import { verify } from 'node:crypto';

import type {
  Access,
  FhirRequest,
  SandboxAnswer,
  SandboxRequest,
  SandboxState,
  TokenRow,
} from './exchange.ts';
import { type ParsedJwt, parseJwt } from './jwt.ts';
import { refuseApi } from './refusal.ts';

/** A request that may go to a FHIR route. `access` is undefined on the routes that need no token. */
export interface AdmittedRequest {
  request: FhirRequest;
  access: Access | undefined;
}

const OPEN = ['/fhir/metadata', '/fhir/.well-known/smart-configuration'];
const OPEN_LIST = '/fhir/OperationDefinition';

/**
 * @param endpoint what `_REWRITE_COMMAND` says, with a leading slash: `/default/fhir/Patient`
 * @param redirectUrl decoded path that was asked for
 */
export async function admitApiRequest(
  request: SandboxRequest,
  state: SandboxState,
  endpoint: string,
  redirectUrl: string,
): Promise<AdmittedRequest | { answer: SandboxAnswer }> {
  const refuse = (...failure: Tail<Parameters<typeof refuseApi>>) => ({
    answer: refuseApi(request, state, ...failure),
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
    const verified = await verifyBearer(request, state, site);
    if (typeof verified === 'string') {
      return verified === 'public-key-missing'
        ? refuse(verified, { resource: endpoint })
        : refuse('bearer-refused', { hint: verified, resource: endpoint });
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

/**
 * The scope check at the head of every FHIR route that is not open.
 *
 * @param scope such as `system/Patient.read`
 * @returns the answer of a missing scope, or undefined when the route may go on
 */
export function checkScope(
  request: SandboxRequest,
  state: SandboxState,
  access: Access | undefined,
  scope: string,
): SandboxAnswer | undefined {
  const granted = access?.scopes ?? [];
  if (granted.includes(scope)) return undefined;
  return refuseApi(request, state, 'scope-missing', { scope, grantedScopes: granted });
}

function siteFolderExists(site: string, state: SandboxState): boolean {
  return site === 'default' || state.settings.emptySites.includes(site);
}

interface VerifiedToken {
  id: string;
  clientId: string;
  scopes: readonly string[];
}

/** @returns the token, or the hint of the refusal, or the name of another failure */
async function verifyBearer(
  request: SandboxRequest,
  state: SandboxState,
  site: string,
): Promise<VerifiedToken | string> {
  if (site !== 'default' || state.keys.state.publicKeyMissing) return 'public-key-missing';
  // league/oauth2-server cuts a leading "Bearer" off and trims; anything else stays and fails to parse.
  const value = (request.headers['authorization'] ?? '').replace(/^\s*Bearer\s/, '').trim();
  const jwt = parseJwt(value);
  if (typeof jwt === 'string') return jwt;
  if (!(await isSignedByServer(jwt, state)) || !isLive(jwt, state)) {
    return 'Access token could not be verified';
  }
  const { jti, aud, scopes } = jwt.claims;
  return {
    id: String(jti),
    clientId: Array.isArray(aud) ? String(aud[0]) : '',
    scopes: Array.isArray(scopes) ? scopes.map(String) : [],
  };
}

async function isSignedByServer(jwt: ParsedJwt, state: SandboxState): Promise<boolean> {
  if (jwt.header['alg'] !== 'RS256') return false;
  const key = await state.keys.publicKey(state.faults['server-keys-mismatched']);
  return verify('sha256', Buffer.from(jwt.payload), key, jwt.signature);
}

function isLive(jwt: ParsedJwt, state: SandboxState): boolean {
  if (state.faults['token-expired'] === true) return false;
  const now = state.clock.now();
  const { exp, iat, nbf, jti } = jwt.claims;
  if (state.tokens.get(String(jti))?.expired === true) return false;
  const from = Math.max(...[iat, nbf].map((date) => (date instanceof Date ? date.getTime() : 0)));
  return from <= now && (!(exp instanceof Date) || now < exp.getTime());
}

function checkTokenRow(
  token: VerifiedToken,
  request: SandboxRequest,
  state: SandboxState,
  resource: string,
): SandboxAnswer | undefined {
  const row = state.tokens.get(token.id);
  if (row !== undefined && (row.revoked || state.faults['token-revoked'] === true)) {
    return refuseApi(request, state, 'token-revoked', { resource });
  }
  if (!state.trustedUsers.has(token.clientId)) {
    const detail = { client: token.clientId, user: state.systemUser.uuid };
    return refuseApi(request, state, 'trusted-user-gone', detail);
  }
  if (state.faults['token-row-gone'] === true || !isRowLive(row, state)) {
    return refuseApi(request, state, 'token-unknown');
  }
  if (state.systemUser.missing) return refuseApi(request, state, 'system-user-missing');
  return undefined;
}

/** Compares whole seconds, so that the row dies up to a second before the token's own `exp`. */
function isRowLive(row: TokenRow | undefined, state: SandboxState): boolean {
  return row !== undefined && row.expiresAtSeconds > Math.floor(state.clock.now() / 1000);
}

type Tail<T extends unknown[]> = T extends [unknown, unknown, ...infer Rest] ? Rest : never;
