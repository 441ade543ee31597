/** The token endpoint (RFC 6749 section 4.4 with RFC 7523 client authentication), as OpenEMR runs it. */
import { randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

import type { SandboxAnswer, SandboxClient, SandboxRequest } from '../exchange.ts';
import { phpJson } from '../php-json.ts';
import { answerOauthFailure, refuseOauth } from '../refusal.ts';
import { serverBase } from '../state.ts';
import type { SandboxState } from '../versions/profile.ts';
import { authenticateClient } from './client-authentication.ts';
import { grantScopes } from './scopes.ts';

const signAsync = promisify(sign);
const TOKEN_ID_BYTES = 40;
const GRANT = 'AuthorizationController->oauthAuthorizeToken()';

/** Answers a token request. @param site of the path; part of the granted scopes */
export async function answerToken(
  request: SandboxRequest,
  state: SandboxState,
  site: string,
): Promise<SandboxAnswer> {
  const answer = await grantToken(request, state, site);
  if (answer.status >= 400 && typeof answer.body === 'string' && answer.body !== '') {
    const { hint, message } = JSON.parse(answer.body) as Record<string, unknown>;
    const stack = '#0 {main}';
    request.log.debug(`${GRANT} OAuthServerException occurred`, { hint, message, stack });
  }
  return answer;
}

async function grantToken(
  request: SandboxRequest,
  state: SandboxState,
  site: string,
): Promise<SandboxAnswer> {
  request.log.debug(`${GRANT} starting request`);
  const { http, token } = state.version;
  const form = await token.readForm(request, http.postMaxBytes);
  if (!(form instanceof Map)) return answerOauthFailure(request, state, form);
  const grantType = form.get('grant_type') ?? '';
  request.log.debug(`${GRANT} grant type received`, { grant_type: grantType });
  // OpenEMR makes a new pair by itself when a file of the pair is missing; old tokens die with it.
  if (state.keys.state.publicKeyMissing) state.keys.regenerate();
  if (state.keys.state.privateKeyUnreadable) {
    return refuseOauth(request, state, 'private-key-unreadable');
  }
  if (!token.grantTypes.includes(grantType)) {
    return refuseOauth(request, state, 'grant-type-unsupported');
  }
  const client = await authenticateClient(request, state, form, site);
  if (!('id' in client)) return client;
  const scopes = grantScopes(form.get('scope') ?? '', client, state);
  if (!Array.isArray(scopes)) {
    return refuseOauth(request, state, 'scope-invalid', scopes);
  }
  if (state.systemUser.missing) return refuseOauth(request, state, 'system-user-missing');
  return issueToken(request, state, client, scopes, site);
}

async function issueToken(
  request: SandboxRequest,
  state: SandboxState,
  client: SandboxClient,
  scopes: readonly string[],
  site: string,
): Promise<SandboxAnswer> {
  const { clock, keys, settings, systemUser, tokens, trustedUsers, version } = state;
  // Before the times are taken: at the first request the key may still be in the making.
  const key = await keys.privateKey();
  const id = randomBytes(TOKEN_ID_BYTES).toString('hex');
  const nowSeconds = clock.now() / 1000;
  const expires = nowSeconds + settings.tokenLifetimeSeconds;
  const accessToken = await signJwt(key, {
    aud: client.id,
    jti: id,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: expires,
    sub: systemUser.uuid,
    ...version.token.claims(scopes, `${serverBase(request, settings)}/oauth2/${site}`, site),
  });
  // The database column holds whole seconds: the row dies up to a second before the token's own exp.
  const expiresAtSeconds = Math.floor(expires);
  tokens.set(id, {
    id,
    clientId: client.id,
    expiresAtSeconds,
    revoked: false,
    expired: false,
    scopes,
  });
  forgetExpired(state);
  trustedUsers.add(client.id);

  const idToken = scopes.includes('openid') ? await buildIdToken(request, state, client) : {};
  const answer = {
    ...idToken,
    scope: scopes.join(' '),
    token_type: 'Bearer',
    expires_in: expiresAtSeconds - Math.floor(clock.now() / 1000),
    access_token: accessToken,
  };
  return {
    status: 200,
    fields: [
      ...version.http.oauthFields(request, clock.now(), { stored: true }),
      ['Content-Type', 'application/json; charset=UTF-8'],
    ],
    body: phpJson(answer),
  };
}

/** A client that asks for `openid` is given an id_token too; OpenEMR warns as it makes it. */
async function buildIdToken(
  request: SandboxRequest,
  state: SandboxState,
  client: SandboxClient,
): Promise<{ id_token: string }> {
  const { idTokenWarning } = state.version.token;
  if (idTokenWarning !== undefined) request.log.write(idTokenWarning);
  const now = state.clock.now() / 1000;
  const idToken = await signJwt(await state.keys.privateKey(), {
    aud: client.id,
    iat: now,
    exp: now + state.settings.tokenLifetimeSeconds,
    sub: state.systemUser.uuid,
    'api:oemr': true,
    'api:fhir': true,
    'api:port': true,
  });
  return { id_token: idToken };
}

async function signJwt(
  key: Parameters<typeof sign>[2],
  claims: Record<string, unknown>,
): Promise<string> {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const payload = `${encode({ typ: 'JWT', alg: 'RS256' })}.${encode(claims)}`;
  const signature = await signAsync('sha256', Buffer.from(payload), key);
  return `${payload}.${signature.toString('base64url')}`;
}

/** Tokens are issued in the order of their expiry, and a dead row answers as a missing one does. */
function forgetExpired(state: SandboxState): void {
  const long = Math.floor(state.clock.now() / 1000) - 3600;
  for (const [id, row] of state.tokens) {
    if (row.expiresAtSeconds > long) break;
    state.tokens.delete(id);
  }
}
