/** Dynamic client registration (RFC 7591), as OpenEMR does it: a new system client starts disabled. */
import { randomBytes } from 'node:crypto';

import type { SandboxAnswer, SandboxRequest } from '../exchange.ts';
import { phpJson } from '../php-json.ts';
import { answerOauthFailure, refuseOauth } from '../refusal.ts';
import { serverBase } from '../state.ts';
import type { SandboxState } from '../versions/profile.ts';

const ID_BYTES = 32;
const SECRET_BYTES = 64;
const URI_BYTES = 16;

/** Members that come back as they were sent, in the order of the answer. */
const ECHOED = [
  'contacts',
  'application_type',
  'client_name',
  'logo_uri',
  'redirect_uris',
  'post_logout_redirect_uris',
  'token_endpoint_auth_method',
  'policy_uri',
  'tos_uri',
  'jwks_uri',
  'jwks',
  'sector_identifier_uri',
  'subject_type',
  'default_max_age',
  'require_auth_time',
  'default_acr_values',
  'initiate_login_uri',
  'request_uris',
  'response_types',
  'grant_types',
];

/** Answers `POST /oauth2/default/registration`. */
export async function answerRegistration(
  request: SandboxRequest,
  state: SandboxState,
  site: string,
): Promise<SandboxAnswer> {
  const { metadata, refusal } = readMetadata(request, state);
  if (metadata === undefined) return refusal;
  const problem = checkMetadata(request, state, metadata);
  if (problem !== undefined) return problem;

  const { clock } = state;
  const { registration, http } = state.version;
  for (const warning of registration.warnings(metadata)) request.log.write(warning);
  const id = newToken(ID_BYTES);
  const confidential = metadata['application_type'] === 'private';
  const scope = textOf(metadata['scope']);
  state.clients.set(id, {
    id,
    name: textOf(metadata['client_name']),
    confidential,
    enabled: !/(?:^| )(?:system|user)\//.test(scope),
    scope,
    redirectUris: listOf(metadata['redirect_uris']),
    // A JWK Set that came as a string is encoded once more, which shows at the token request only.
    jwks: metadata['jwks'] === undefined ? '' : JSON.stringify(metadata['jwks']),
    jwksUri: textOf(metadata['jwks_uri']),
    registeredAtMs: clock.now(),
  });
  const answer = {
    client_id: id,
    client_secret: confidential ? newToken(SECRET_BYTES) : undefined,
    registration_access_token: newToken(ID_BYTES),
    registration_client_uri: `${serverBase(request, state.settings)}/oauth2/${site}/client/${newToken(URI_BYTES)}`,
    client_id_issued_at: Math.floor(clock.now() / 1000),
    client_secret_expires_at: 0,
    client_role: 'user',
    ...Object.fromEntries(
      ECHOED.filter((name) => name in metadata).map((name) => [name, metadata[name]]),
    ),
    scope,
    dsi_type: 'none',
  };
  return {
    status: 200,
    fields: [
      ...http.oauthFields(request, clock.now(), { stored: registration.stored }),
      ['Content-Type', registration.answerType],
    ],
    body: phpJson(answer),
  };
}

function readMetadata(
  request: SandboxRequest,
  state: SandboxState,
):
  | { metadata: Record<string, unknown>; refusal?: undefined }
  | { metadata?: undefined; refusal: SandboxAnswer } {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    return { refusal: refuseOauth(request, state, 'registration-content-type') };
  }
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString('utf8'));
  } catch {
    value = undefined;
  }
  return typeof value === 'object' && value !== null
    ? { metadata: { ...value } }
    : { refusal: refuseOauth(request, state, 'registration-not-json') };
}

function checkMetadata(
  request: SandboxRequest,
  state: SandboxState,
  metadata: Record<string, unknown>,
): SandboxAnswer | undefined {
  const { scope, application_type: type, token_endpoint_auth_method: method } = metadata;
  if (typeof scope !== 'string') return refuseOauth(request, state, 'registration-scope-missing');
  if (type !== 'private' && /(?:^| )(?:system|user)\//.test(scope)) {
    const detail = type === undefined ? {} : { type: textOf(type) };
    return refuseOauth(request, state, 'registration-not-confidential', detail);
  }
  const { registration, scopes } = state.version;
  const unknown = scopes.findUnknown(scope.split(' '), state.settings);
  if (unknown !== undefined) {
    return refuseOauth(request, state, 'registration-scope-invalid', unknown);
  }
  if (listOf(metadata['redirect_uris']).length === 0) {
    return refuseOauth(request, state, 'registration-redirect-uris');
  }
  if (method !== undefined && !registration.authMethods.includes(textOf(method))) {
    return refuseOauth(request, state, 'registration-auth-method', { message: textOf(method) });
  }
  const system = /(?:^| )system\//.test(scope);
  if (system && !metadata['jwks'] && !metadata['jwks_uri']) {
    return refuseOauth(request, state, 'registration-jwks');
  }
  const refused = registration.refuse(metadata);
  return refused === undefined ? undefined : answerOauthFailure(request, state, refused);
}

function newToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((entry): entry is string => typeof entry === 'string')
    : [];
}
