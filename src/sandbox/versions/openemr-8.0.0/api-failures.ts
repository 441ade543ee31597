/** How OpenEMR 8.0.0 refuses a call under /apis: always JSON; only the message differs. */
import type { ApiFailureName, Failure, FailureDetail, LogMessage } from '../failure.ts';
import { type PhpFrame, phpTrace } from '../php.ts';
import {
  exception,
  exceptionBody,
  exceptionLine,
  listenerCall,
  listenerFrame,
  listenerTrace,
  securityCheckTrace,
} from './errors.ts';
import { FHIR_FAILURES } from './fhir-failures.ts';

const DENIED = 'The resource owner or authorization server denied the request.';
const STRATEGY = 'OpenEMR\\RestControllers\\Authorization\\BearerTokenAuthorizationStrategy';
const STRATEGY_FILE = 'src/RestControllers/Authorization/BearerTokenAuthorizationStrategy.php';
const ROUTE_HANDLER = 'OpenEMR\\Common\\Http\\HttpRestRouteHandler';

/** From the entry script to the check of the token. */
const AUTHORIZATION: readonly PhpFrame[] = [
  listenerFrame('AuthorizationListener', 242, `${STRATEGY}->authorizeRequest`),
  listenerFrame(
    'AuthorizationListener',
    125,
    listenerCall('AuthorizationListener', 'authorizeRequest'),
  ),
  ...listenerTrace('AuthorizationListener', 'apis/dispatch.php'),
];

/** From the entry script to the search for a route. */
const routing = (api: 'fhir' | 'standard'): PhpFrame[] => [
  listenerFrame('RoutesExtensionListener', 108, `${ROUTE_HANDLER}->dispatch`),
  listenerFrame(
    'RoutesExtensionListener',
    api === 'fhir' ? 80 : 95,
    listenerCall('RoutesExtensionListener', 'dispatch'),
  ),
  listenerFrame(
    'RoutesExtensionListener',
    api === 'fhir' ? 58 : 62,
    listenerCall(
      'RoutesExtensionListener',
      api === 'fhir' ? 'processFhirRequest' : 'processStandardRequest',
    ),
  ),
  ...listenerTrace('RoutesExtensionListener', 'apis/dispatch.php'),
];

/** No token, or none that this server has signed and that still lives. */
export function denied(): Failure {
  const frames: PhpFrame[] = [
    [STRATEGY_FILE, 149, `${STRATEGY}->verifyAccessToken`],
    ...AUTHORIZATION,
  ];
  return exception(401, DENIED, frames, {
    before: [
      {
        level: 'ERROR',
        message: 'RestConfig->verifyAccessToken() OAuthServerException',
        context: { message: DENIED },
      },
    ],
  });
}

/** A good token on an API that is not its client's. @param path below the site */
export function roleRefused(path: string): Failure {
  const frames: PhpFrame[] = [
    [STRATEGY_FILE, 207, `${STRATEGY}->isValidRequestForUserRole`],
    ...AUTHORIZATION,
  ];
  const line: LogMessage = /\/(?:api|portal)\//.test(path)
    ? {
        level: 'ERROR',
        message: `${STRATEGY}->isValidRequestForUserRole() api call with token that does not cover the requested route`,
      }
    : {
        level: 'ERROR',
        message: 'OpenEMR Error: api failed because user role does not have access to the resource',
        context: { resource: path, userRole: 'system' },
      };
  const message =
    'OpenEMR Error: API call failed due to insufficient permissions for the requested resource.';
  return exception(403, message, frames, { before: [line] });
}

/** An empty `APICSRFTOKEN` field. */
export function csrfRefused(resource: string): Failure {
  const controller = 'OpenEMR\\RestControllers\\Authorization\\LocalApiAuthorizationController';
  const [, ...rest] = AUTHORIZATION;
  const frames = [
    listenerFrame('AuthorizationListener', 242, `${controller}->authorizeRequest`),
    ...rest,
  ];
  return exception(
    401,
    'OpenEMR Error: internal api failed because csrf token did not match',
    frames,
    {
      before: [
        {
          level: 'ERROR',
          message: 'OpenEMR Error: internal api failed because csrf token not received',
        },
        { level: 'ERROR', message: `${controller} CSRF failed`, context: { resource } },
      ],
    },
  );
}

/** @param path of the script and below */
export function routeNotFound(
  api: 'fhir' | 'standard',
  path: string,
  caller: Pick<FailureDetail, 'client' | 'user'> = {},
): Failure {
  const message = 'Route not found';
  return exception(404, message, routing(api), {
    before: [
      {
        level: 'ERROR',
        message: `${ROUTE_HANDLER}->dispatch() ${message}`,
        context: {
          clientId: caller.client ?? '',
          userUUID: caller.user ?? '',
          userType: 'system',
          path,
          trace: phpTrace(routing(api)),
        },
      },
    ],
  });
}

/** By name of the failure. */
export const API_FAILURES: Record<ApiFailureName, (detail: FailureDetail) => Failure> = {
  'token-revoked': () =>
    exception(
      401,
      DENIED,
      [
        [
          STRATEGY_FILE,
          165,
          'League\\OAuth2\\Server\\Exception\\OAuthServerException::accessDenied',
        ],
        ...AUTHORIZATION,
      ],
      { code: 9 },
    ),
  'trusted-user-gone': () => exception(400, 'Refresh Token revoked or logged out', AUTHORIZATION),
  'token-unknown': () =>
    exception(
      401,
      'OpenEMR Error: API call failed due to invalid token or expired token.',
      AUTHORIZATION,
      { before: [{ level: 'ERROR', message: 'dispatch.php api call with invalid token' }] },
    ),
  'system-user-missing': () => exception(400, '', AUTHORIZATION),
  'scope-missing': ({ scope, client, user, path }) => ({
    status: 401,
    body: exceptionBody('Unauthorized'),
    log: [
      {
        level: 'ERROR',
        message: `${ROUTE_HANDLER}->dispatch() scope ${scope} not in access token`,
        context: {
          section: 'system',
          subCategory: '',
          clientId: client,
          userUUID: user,
          userType: 'system',
          path,
          innerExceptionTrace: phpTrace([...securityCheckTrace(), ...routing('fhir')]),
        },
      },
      exceptionLine('Unauthorized', routing('fhir')),
    ],
  }),
  'route-unknown': ({ path = '', client = '', user = '' }) =>
    routeNotFound('fhir', path, { client, user }),
  ...FHIR_FAILURES,
};
