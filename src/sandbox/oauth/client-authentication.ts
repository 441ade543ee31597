/** Client authentication with a signed assertion (RFC 7523 section 2.2), in the order of OpenEMR's grant. */
import { verify } from 'node:crypto';

import type { SandboxAnswer, SandboxClient, SandboxRequest } from '../exchange.ts';
import { isEmptyClaim, type ParsedJwt, parseJwt } from '../jwt.ts';
import type { PhpParameters } from '../php-form.ts';
import { answerOauthFailure, refuseOauth } from '../refusal.ts';
import { serverBase } from '../state.ts';
import type { SandboxState } from '../versions/profile.ts';
import { findSigningKey, readKeySet } from './key-set.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** @returns the client, or the answer that refuses it */
export async function authenticateClient(
  request: SandboxRequest,
  state: SandboxState,
  form: PhpParameters,
  site: string,
): Promise<SandboxClient | SandboxAnswer> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    return refuseOauth(request, state, 'assertion-type');
  }
  const assertion = form.get('client_assertion');
  const { emptyIsMissing } = state.version.assertion;
  if (assertion === undefined || (assertion === '' && emptyIsMissing)) {
    return refuseOauth(request, state, 'assertion-missing');
  }
  const jwt = parseJwt(assertion);
  if (typeof jwt === 'string') {
    return refuseOauth(request, state, 'assertion-unparseable', { message: jwt });
  }
  const { sub } = jwt.claims;
  const id = typeof sub === 'string' ? sub : '';
  const client = state.clients.get(id);
  if (client === undefined) return refuseOauth(request, state, 'client-unknown', { client: id });
  if (!client.confidential) return refuseOauth(request, state, 'client-public');
  if (!client.enabled || state.faults['client-disabled']) {
    return refuseOauth(request, state, 'client-disabled', { client: id });
  }
  const refused = await checkAssertion(request, state, client, jwt, site);
  if (refused !== undefined) return refused;
  const redirectUri = form.get('redirect_uri');
  if (redirectUri !== undefined && !client.redirectUris.includes(redirectUri)) {
    return refuseOauth(request, state, 'redirect-uri');
  }
  state.usedAssertions.add(String(jwt.claims['jti']));
  return client;
}

async function checkAssertion(
  request: SandboxRequest,
  state: SandboxState,
  client: SandboxClient,
  jwt: ParsedJwt,
  site: string,
): Promise<SandboxAnswer | undefined> {
  const keySet = await readKeySet(client, state);
  if (keySet === 'none') return refuseOauth(request, state, 'jwks-missing', { client: client.id });
  if ('message' in keySet) {
    return refuseOauth(request, state, 'jwks-unusable', { client: client.id, ...keySet });
  }
  if ('type' in keySet) return refuseOauth(request, state, 'jwks-not-an-object', keySet);

  const { assertion } = state.version;
  const { constraints } = assertion;
  const refused = assertion.refuseClaims(jwt, client.id, state.clock.now());
  if (refused !== undefined) return answerOauthFailure(request, state, refused);
  const audience = `${serverBase(request, state.settings)}/oauth2/${site}/token`;
  const violations: string[] = [];
  const time = timeProblem(jwt, state);
  if (time !== undefined) violations.push(time);
  if (jwt.header['alg'] !== assertion.algorithm) violations.push(constraints.signer);
  else {
    const key = findSigningKey(keySet.keys);
    if ('message' in key) {
      return refuseOauth(request, state, 'jwks-unusable', { client: client.id, ...key });
    }
    if (!verify('sha384', Buffer.from(jwt.payload), key.publicKey, jwt.signature)) {
      violations.push(constraints.signature);
    }
  }
  if (jwt.claims['iss'] !== client.id) violations.push(constraints.issuer);
  const { aud } = jwt.claims;
  if (!Array.isArray(aud) || !aud.includes(audience)) violations.push(constraints.audience);
  const id = idProblem(request, state, jwt);
  if (id !== undefined) violations.push(id);
  if (violations.length === 0) return undefined;
  return refuseOauth(request, state, 'assertion-refused', {
    client: client.id,
    message: `The token violates some mandatory constraints, details:\n${violations.map((text) => `- ${text}`).join('\n')}`,
    claims: jwt.claims,
    audience,
  });
}

/** The first of three: issued in the future, not valid yet, expired; each with the leeway, and each claim optional. */
function timeProblem(jwt: ParsedJwt, state: SandboxState): string | undefined {
  const { constraints, leewaySeconds } = state.version.assertion;
  const leewayMs = leewaySeconds * 1000;
  const now = state.clock.now();
  const { exp, iat, nbf } = jwt.claims;
  if (iat instanceof Date && iat.getTime() > now + leewayMs) return constraints.issuedInFuture;
  if (nbf instanceof Date && nbf.getTime() > now + leewayMs) return constraints.notYet;
  if (exp instanceof Date && exp.getTime() <= now - leewayMs) return constraints.expired;
  return undefined;
}

/** A `jti` is good once, whichever client used it and whenever it would have expired. */
function idProblem(
  request: SandboxRequest,
  state: SandboxState,
  jwt: ParsedJwt,
): string | undefined {
  const { assertion } = state.version;
  const { jti } = jwt.claims;
  if (isEmptyClaim(jti)) return assertion.constraints.idMissing;
  if (!state.usedAssertions.has(String(jti))) return undefined;
  request.log.write(assertion.replayWarning(jwt));
  return assertion.constraints.idUsed;
}
