/** How OpenEMR 7.0.3 fails under /oauth2. */
import type { Failure, FailureDetail, LogMessage, OauthFailureName } from '../failure.ts';
import { GRANT_TYPE_UNSUPPORTED, MALFORMED, oauthError } from '../league.ts';
import { phpFatal, phpWarning } from '../php.ts';
import { databaseDown, empty } from './failures.ts';

const GRANT = 'src/Common/Auth/OpenIDConnect/Grant/CustomClientCredentialsGrant.php';
const CONTROLLER = 'src/RestControllers/AuthorizationController.php';
const KEY_SET = 'src/Common/Auth/OpenIDConnect/JWT/JsonWebKeySet.php';

/** 401: client, JWK Set and parse problems. */
const invalidClient = (...log: LogMessage[]): Failure => ({
  status: 401,
  body: oauthError('invalid_client', 'Client authentication failed'),
  challenge: true,
  log,
});

/** By name of the failure. */
export const OAUTH_FAILURES: Record<OauthFailureName, (detail: FailureDetail) => Failure> = {
  'api-disabled': () => ({ ...empty(404), cors: false }),
  'endpoint-unknown': () => empty(404),
  'database-down': () => databaseDown(),
  'grant-type-unsupported': () => GRANT_TYPE_UNSUPPORTED,
  'private-key-unreadable': () => ({
    ...empty(500),
    session: 'left',
    log: [
      phpFatal(
        'LogicException: Key path "file:///var/www/localhost/htdocs/openemr/sites/default/documents/certificates/oaprivate.key" does not exist or is not readable',
        'vendor/league/oauth2-server/src/CryptKey.php',
        59,
      ),
    ],
  }),
  'assertion-type': () => ({
    status: 400,
    body: oauthError('invalid_request', MALFORMED, 'assertion type is not supported'),
  }),
  'assertion-missing': () => ({
    ...empty(500),
    session: 'left',
    log: [
      phpFatal(
        `TypeError: Lcobucci\\JWT\\Token\\Parser::parse(): Argument #1 ($jwt) must be of type string, null given, called in /var/www/localhost/htdocs/openemr/${GRANT} on line 243 and defined`,
        'vendor/lcobucci/jwt/src/Token/Parser.php',
        29,
      ),
    ],
  }),
  'assertion-unparseable': ({ message }) =>
    invalidClient({
      level: 'ERROR',
      message: 'CustomClientCredentialsGrant->getClientCredentials() failed to parse token',
      context: { exceptionMessage: message },
    }),
  'client-unknown': ({ client }) =>
    invalidClient({
      level: 'ERROR',
      message: 'ClientRepository->getClientEntity() no client found for identifier ',
      context: { client },
    }),
  'client-public': () => invalidClient(),
  'redirect-uri': () => invalidClient(),
  'client-disabled': ({ client }) =>
    invalidClient({
      level: 'ERROR',
      message: 'CustomClientCredentialsGrant->validateClient() client returned was not enabled',
      context: { client },
    }),
  'jwks-missing': (detail) =>
    jwksUnusable({ ...detail, message: 'jwks_uri or jwks string must be provided' }),
  'jwks-unusable': jwksUnusable,
  'jwks-not-an-object': ({ type = 'null' }) => ({
    ...empty(500),
    session: 'left',
    log: [
      phpFatal(
        `TypeError: property_exists(): Argument #1 ($object_or_class) must be of type object|string, ${type} given`,
        KEY_SET,
        67,
      ),
    ],
  }),
  'assertion-refused': ({ client, message, claims, audience }) => ({
    status: 400,
    body: oauthError('invalid_client', 'Client authentication failed'),
    challenge: true,
    log: [
      {
        level: 'ERROR',
        message: 'CustomClientCredentialsGrant->validateClient() jwt failed required constraints',
        context: { client, exceptionMessage: message, claims, expectedAudience: audience },
      },
    ],
  }),
  'scope-invalid': scopeInvalid,
  'registration-scope-invalid': scopeInvalid,
  'system-user-missing': () => ({
    status: 500,
    body: oauthError(
      'server_error',
      'The authorization server encountered an unexpected condition which prevented it from fulfilling the request: Server was not properly setup',
    ),
    log: [{ level: 'ERROR', message: 'SystemUser was missing.  System is not setup properly' }],
  }),
  'registration-content-type': () => badMetadata('Unexpected content type'),
  'registration-not-json': () => badMetadata('Invalid JSON'),
  'registration-redirect-uris': () => ({
    status: 400,
    body: oauthError('invalid_redirect_uri', 'redirect_uris is invalid'),
  }),
  'registration-jwks': () => badMetadata('jwks is invalid'),
  'registration-auth-method': ({ message }) =>
    badMetadata(`Unsupported token_endpoint_auth_method value : ${message}`),
  'registration-not-confidential': ({ type }) => ({
    ...badMetadata('system and user scopes are only allowed for confidential clients'),
    log:
      type === undefined
        ? [phpWarning('Undefined array key "application_type"', CONTROLLER, 281)]
        : [],
  }),
  'registration-scope-missing': () => ({
    ...empty(500),
    session: 'left',
    log: [
      phpWarning('Undefined array key "scope"', CONTROLLER, 288),
      phpWarning('Undefined array key "scope"', CONTROLLER, 300),
      {
        level: 'ERROR',
        message: 'Attempted to set request scopes to something other than a string',
        context: { scopes: null },
      },
      phpFatal(
        'InvalidArgumentException: Invalid scope parameter set',
        'src/Common/Auth/OpenIDConnect/Repositories/ScopeRepository.php',
        226,
      ),
    ],
  }),
};

function badMetadata(description: string): Failure {
  return { status: 400, body: oauthError('invalid_client_metadata', description) };
}

function scopeDescription(scope: string): string {
  return scope === 'nonce'
    ? 'Nonce value used to detect replay attacks by third parties'
    : 'OpenId Connect';
}

function scopeInvalid({ scope = '', knownScopes = [] }: FailureDetail): Failure {
  return {
    status: 400,
    body: oauthError(
      'invalid_scope',
      'The requested scope is invalid, unknown, or malformed',
      scope === ''
        ? 'Specify a scope in the request or set a default scope'
        : `Check the \`${scope}\` scope`,
    ),
    log: [
      {
        level: 'ERROR',
        message: 'ScopeRepository->getScopeEntityByIdentifier() request access to invalid scope',
        context: {
          scope,
          validationScopes: Object.fromEntries(
            knownScopes.map((name) => [name, { description: scopeDescription(name) }]),
          ),
        },
      },
    ],
  };
}

function jwksUnusable({ client, message }: FailureDetail): Failure {
  return invalidClient({
    level: 'ERROR',
    message: 'CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client',
    context: { client, exceptionMessage: message },
  });
}
