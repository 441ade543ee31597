/** How OpenEMR 7.0.3 refuses a call under /apis before a route runs, and at the scope check. */
import type { ApiFailureName, Failure, FailureDetail, LogMessage } from '../failure.ts';
import { oauthError } from '../league.ts';
import { databaseDown, empty, siteUnknown } from './failures.ts';
import { FHIR_FAILURES } from './fhir.ts';

const DENIED = 'The resource owner or authorization server denied the request.';

/** Ways to fail before a FHIR route runs. */
export type AdmissionFailureName =
  | 'site-error'
  | 'site-of-token'
  | 'site-unknown'
  | 'public-key-missing'
  | 'bearer-refused'
  | 'database-down'
  | 'api-not-covered'
  | 'fhir-api-off'
  | 'not-an-api'
  | 'local-call';

/** Those of the admission, by name. */
export const ADMISSION_FAILURES: Record<AdmissionFailureName, (detail: FailureDetail) => Failure> =
  {
    'site-error': () => ({
      ...empty(400),
      contentType: 'text/html; charset=UTF-8',
      session: 'none',
      log: [{ php: 'OpenEMR Error - api site error, so forced exit' }],
    }),
    'site-of-token': () => ({
      ...empty(400),
      contentType: 'text/html; charset=UTF-8',
      session: 'none',
      log: [{ level: 'ERROR', message: 'OpenEMR Error - api site error, so forced exit' }],
    }),
    'site-unknown': ({ site = '' }) => siteUnknown(site),
    'database-down': () => databaseDown(),
    'public-key-missing': ({ resource }) => ({
      status: 401,
      body: oauthError('invalid_token', 'Invalid access token'),
      session: 'none',
      log: [
        {
          level: 'ERROR',
          message:
            'RestConfig->verifyAccessToken() LogicException, likely oauth2 public key is missing, corrupted, or misconfigured',
          context: { message: 'Invalid key supplied' },
        },
        verifyFailed(resource),
      ],
    }),
    'bearer-refused': ({ hint, resource }) => ({
      ...denied(hint),
      session: 'none',
      log: [
        {
          level: 'ERROR',
          message: 'RestConfig->verifyAccessToken() OAuthServerException',
          context: { message: DENIED },
        },
        verifyFailed(resource),
      ],
    }),
    'api-not-covered': () =>
      refusedCall('dispatch.php api call with token that does not cover the requested route'),
    'fhir-api-off': ({ resource }) => ({
      ...empty(501),
      cors: false,
      log: [
        {
          level: 'ERROR',
          message: 'dispatch.php attempted to access resource with FHIR api turned off ',
          context: { resource },
        },
      ],
    }),
    'not-an-api': ({ resource }) => ({
      ...empty(501),
      cors: false,
      log: [
        {
          level: 'ERROR',
          message: 'dispatch.php invalid access to resource',
          context: { resource },
        },
      ],
    }),
    'local-call': () => ({
      status: 200,
      body: 'Site ID is missing from session data!',
      contentType: 'text/html; charset=UTF-8',
      session: 'local',
      cors: false,
    }),
  };

/** Those of the checks that every version makes, by name. */
export const API_FAILURES: Record<ApiFailureName, (detail: FailureDetail) => Failure> = {
  'token-revoked': ({ resource }) => ({
    ...denied('Access token has been revoked'),
    session: 'left',
    cors: false,
    log: [
      {
        level: 'ERROR',
        message: 'dispatch.php access token was revoked',
        context: { resource },
      },
    ],
  }),
  'trusted-user-gone': ({ client, user }) => ({
    status: 400,
    body: oauthError('invalid _request', 'Refresh Token revoked or logged out'),
    cors: false,
    log: [
      {
        level: 'DEBUG',
        message: 'invalid Trusted User.  Refresh Token revoked or logged out',
        context: { clientId: client, userId: user },
      },
    ],
  }),
  'token-unknown': () => refusedCall('dispatch.php api call with invalid token'),
  'system-user-missing': () =>
    refusedCall('OpenEMR Error: api failed because unable to set critical users session variables'),
  'scope-missing': ({ scope, grantedScopes }) => ({
    ...empty(401),
    session: 'left',
    log: [
      {
        level: 'DEBUG',
        message: 'RestConfig::scope_check scope not in access token',
        context: { scope, scopes_granted: grantedScopes },
      },
    ],
  }),
  'route-unknown': () => empty(404),
  ...FHIR_FAILURES,
};

function denied(hint = ''): Failure {
  return { status: 401, body: oauthError('access_denied', DENIED, hint) };
}

function refusedCall(message: string): Failure {
  return { ...empty(401), cors: false, log: [{ level: 'ERROR', message }] };
}

function verifyFailed(resource = ''): LogMessage {
  return {
    level: 'ERROR',
    message: 'dispatch.php failed token verify for resource',
    context: { resource },
  };
}
