/** What every version's way to a FHIR route is made of: access token, token row, scope check. */
import { verify } from 'node:crypto';

import type { Access, FhirRequest, SandboxAnswer, SandboxRequest, TokenRow } from './exchange.ts';
import { type ParsedJwt, parseJwt } from './jwt.ts';
import { refuseApi } from './refusal.ts';
import type { FailureDetail } from './versions/failure.ts';
import type { SandboxState } from './versions/profile.ts';

/**
 * The scope check at the head of every FHIR route that is not open.
 *
 * @param scope such as `system/Patient.read`
 * @returns the answer of a missing scope, or undefined when the route may go on
 */
export function checkScope(
  request: FhirRequest,
  state: SandboxState,
  access: Access | undefined,
  scope: string,
): SandboxAnswer | undefined {
  const granted = access?.scopes ?? [];
  if (state.version.scopes.permits(granted, scope)) return undefined;
  return refuseApi(request, state, 'scope-missing', {
    scope,
    grantedScopes: granted,
    ...callDetail(request, state, access),
  });
}

/** Who called what, as the versions that log it want to know. */
export function callDetail(
  { site, resource, query }: Pick<FhirRequest, 'site' | 'resource' | 'query'>,
  state: SandboxState,
  access: Access | undefined,
): FailureDetail {
  return {
    path: `/apis/dispatch.php/${site}/fhir${resource}${query === '' ? '' : `?${query}`}`,
    client: access?.clientId ?? '',
    user: access === undefined ? '' : state.systemUser.uuid,
  };
}

/** A token whose signature and times are good. */
export interface VerifiedToken {
  id: string;
  clientId: string;
  scopes: readonly string[];
}

/** The token of the Authorization field, or league/oauth2-server's hint that says why it is refused. */
export async function verifyBearer(
  request: SandboxRequest,
  state: SandboxState,
): Promise<VerifiedToken | string> {
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

/**
 * The token's rows in the database.
 *
 * @returns the answer of a refusal, or undefined when the request may go on
 */
export function checkTokenRow(
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
