/** How OpenEMR 8.0.0 fails under /oauth2. */
import type { Failure, FailureDetail, LogMessage, OauthFailureName } from '../failure.ts';
import { GRANT_TYPE_UNSUPPORTED, oauthError } from '../league.ts';
import { databaseDown, exception } from './errors.ts';
import {
  CONTROLLER,
  CONTROLLER_FILE,
  error,
  invalidRequest,
  OAUTH_LISTENER,
  REFUSED,
  scopeInvalid,
  SCRIPT,
  TOKEN_CALL,
  UNEXPECTED,
  validationLine,
} from './oauth-parts.ts';
import { REGISTRATION_FAILURES } from './registration-failures.ts';

const GRANT = 'OpenEMR\\Common\\Auth\\OpenIDConnect\\Grant\\CustomClientCredentialsGrant';

/** 401: client, JWK Set and parse problems. */
const invalidClient = (...log: LogMessage[]): Failure => ({
  status: 401,
  body: oauthError('invalid_client', REFUSED),
  challenge: true,
  log,
});

const EXTRACTION = error(
  'CustomClientCredentialsGrant::getClientCredentials: Failed to extract client ID from JWT',
  { error: REFUSED, hint: '' },
);

/** By name of the failure. */
export const OAUTH_FAILURES: Record<OauthFailureName, (detail: FailureDetail) => Failure> = {
  'api-disabled': () => exception(404, 'OpenEMR Error: API is disabled', OAUTH_LISTENER),
  'endpoint-unknown': () => ({ status: 404, body: '' }),
  'database-down': () => databaseDown(SCRIPT),
  'grant-type-unsupported': () => GRANT_TYPE_UNSUPPORTED,
  'private-key-unreadable': () =>
    exception(
      500,
      'Key path "file:///var/www/localhost/htdocs/openemr/sites/default/documents/certificates/oaprivate.key" does not exist or is not readable',
      [
        [CONTROLLER_FILE, 691, 'League\\OAuth2\\Server\\CryptKey->__construct'],
        [CONTROLLER_FILE, 1379, `${CONTROLLER}->getAuthorizationServer`],
        TOKEN_CALL,
        ...OAUTH_LISTENER,
      ],
    ),
  'assertion-type': () => invalidRequest('assertion type is not supported'),
  'assertion-missing': () => invalidRequest('assertion type is not supported'),
  'assertion-unparseable': ({ message }) =>
    invalidClient(error('Failed to parse JWT assertion', { exception: message }), EXTRACTION),
  'client-unknown': ({ client }) =>
    client === ''
      ? invalidClient(error('JWT assertion missing required sub claim'), EXTRACTION)
      : invalidClient(
          error('ClientRepository->getClientEntity() no client found for identifier ', { client }),
        ),
  'client-public': () => invalidClient(),
  'redirect-uri': () => invalidClient(),
  'client-disabled': ({ client }) =>
    invalidClient(error('Client is not enabled', { client_id: client }), validationLine('')),
  'jwks-missing': ({ client }) =>
    invalidClient(
      error('Client has no JWKS or JWKS URI configured', { client_id: client }),
      validationLine(''),
    ),
  'jwks-unusable': ({ client, message }) =>
    invalidClient(
      error('Failed to retrieve or validate JWK for client', {
        client_id: client,
        exception: message,
      }),
      validationLine(''),
    ),
  'jwks-not-an-object': ({ type = 'null' }) =>
    exception(
      500,
      `property_exists(): Argument #1 ($object_or_class) must be of type object|string, ${type} given`,
      [
        ['src/Common/Auth/OpenIDConnect/JWT/JsonWebKeySet.php', 67, 'property_exists'],
        [
          'src/Services/JWTClientAuthenticationService.php',
          245,
          'OpenEMR\\Common\\Auth\\OpenIDConnect\\JWT\\JsonWebKeySet->__construct',
        ],
        [
          'src/Common/Auth/OpenIDConnect/Grant/CustomClientCredentialsGrant.php',
          214,
          'OpenEMR\\Services\\JWTClientAuthenticationService->validateJWTClientAssertion',
        ],
        [
          'vendor/league/oauth2-server/src/Grant/ClientCredentialsGrant.php',
          45,
          `${GRANT}->validateClient`,
        ],
        TOKEN_CALL,
        ...OAUTH_LISTENER,
      ],
    ),
  // No challenge: league/oauth2-server adds it to a 401 alone, and this one is a 400 by its own number.
  'assertion-refused': ({ client, message, claims, audience }) => ({
    status: 400,
    body: oauthError('invalid_client', REFUSED),
    log: [
      error('JWT failed validation constraints', {
        client_id: client,
        exception: message,
        expected_audience: audience,
        claims,
      }),
      validationLine(''),
    ],
  }),
  'scope-invalid': scopeInvalid,
  'system-user-missing': () => ({
    status: 500,
    body: oauthError('server_error', `${UNEXPECTED}Server was not properly setup`),
    log: [error('SystemUser was missing.  System is not setup properly')],
  }),
  ...REGISTRATION_FAILURES,
};
