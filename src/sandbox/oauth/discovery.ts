/** Discovery documents under /oauth2. */
import type { SandboxAnswer, SandboxRequest } from '../exchange.ts';
import { serverBase } from '../state.ts';
import type { SandboxState } from '../versions/profile.ts';
import { RESPONSE_TYPES } from './response-types.ts';

/** `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0). */
export async function answerOpenidConfiguration(
  request: SandboxRequest,
  state: SandboxState,
  site: string,
): Promise<SandboxAnswer> {
  const issuer = `${serverBase(request, state.settings)}/oauth2/${site}`;
  const document = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwk`,
    userinfo_endpoint: `${issuer}/userinfo`,
    registration_endpoint: `${issuer}/registration`,
    end_session_endpoint: `${issuer}/logout`,
    introspection_endpoint: `${issuer}/introspect`,
    scopes_supported: state.version.scopes.announced(state.settings),
    ...OPENID_REST,
  };
  return jsonAnswer(request, state, printTemplate(document));
}

/** `/jwk`: the public key with which access tokens can be checked. */
export async function answerJwk(
  request: SandboxRequest,
  state: SandboxState,
): Promise<SandboxAnswer> {
  const { n, e } = (await state.keys.publicKey(false)).export({ format: 'jwk' });
  const keySet = { keys: [{ kty: 'RSA', n, e, use: 'sig' }] };
  return jsonAnswer(request, state, state.version.http.printKeySet(keySet));
}

const OPENID_REST = {
  response_types_supported: RESPONSE_TYPES,
  code_challenge_methods_supported: ['S256', 'plain'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  response_modes_supported: ['query', 'fragment', 'form_post'],
  subject_types_supported: ['public'],
  claims_supported: [
    'profile',
    'email',
    'email_verified',
    'phone',
    'phone_verified',
    'family_name',
    'given_name',
    'fhirUser',
    'locale',
    'api:oemr',
    'api:fhir',
    'api:port',
    'aud',
    'iat',
    'iss',
    'exp',
    'sub',
  ],
  require_request_uri_registration: ['false'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post'],
  token_endpoint_auth_signing_alg_values_supported: ['RS256', 'RS384'],
  claims_locales_supported: ['en-US'],
  ui_locales_supported: ['en-US'],
};

/** OpenEMR fills a text template: members at the margin, lists printed with four spaces. */
function printTemplate(document: Readonly<Record<string, string | readonly string[]>>): string {
  const members = Object.entries(document).map(([name, value]) => {
    const text = typeof value === 'string' ? JSON.stringify(value) : printList(name, value);
    return `"${name}": ${text}`;
  });
  return `{\n${members.join(',\n')}\n}`;
}

function printList(name: string, values: readonly string[]): string {
  if (name === 'require_request_uri_registration') return JSON.stringify(values);
  const text = JSON.stringify(values, null, INDENT);
  // The two lists that PHP prints have their slashes escaped; the rest stands in the template.
  if (name === 'scopes_supported' || name === 'claims_supported') return escapeSlashes(text);
  // The template has a line for the password grant, empty while that is off.
  return name === 'grant_types_supported'
    ? text.replace('"authorization_code",\n', '"authorization_code",\n    \n')
    : text;
}

function jsonAnswer(request: SandboxRequest, state: SandboxState, body: string): SandboxAnswer {
  const fields = state.version.http.oauthFields(request, state.clock.now(), {});
  return { status: 200, fields: [...fields, ['Content-Type', 'application/json']], body };
}

function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\\/');
}

const INDENT = 4;
