/** What the failures of OpenEMR 8.0.0 under /oauth2 are made of. */
import type { Failure, FailureDetail, LogMessage } from '../failure.ts';
import { MALFORMED, oauthError } from '../league.ts';
import { type PhpFrame, phpTrace } from '../php.ts';
import { listenerCall, listenerFrame, listenerTrace, type Script } from './errors.ts';

/** The script behind /oauth2. */
export const SCRIPT: Script = 'oauth2/authorize.php';
/** Class that answers there. */
export const CONTROLLER = 'OpenEMR\\RestControllers\\AuthorizationController';
/** Its file. */
export const CONTROLLER_FILE = 'src/RestControllers/AuthorizationController.php';
/** What every refused client gets to read. */
export const REFUSED = 'Client authentication failed';
/** What every refused scope is answered with. */
export const BAD_SCOPE = 'The requested scope is invalid, unknown, or malformed';

/** From the entry script to the choice of an endpoint. */
export const OAUTH_LISTENER: readonly PhpFrame[] = [
  listenerFrame(
    'OAuth2AuthorizationListener',
    81,
    listenerCall('OAuth2AuthorizationListener', 'authorizeRequest'),
  ),
  ...listenerTrace('OAuth2AuthorizationListener', SCRIPT),
];

/** The call of the token endpoint. */
export const TOKEN_CALL = listenerFrame(
  'OAuth2AuthorizationListener',
  126,
  `${CONTROLLER}->oauthAuthorizeToken`,
);

/** The call of the registration endpoint. */
export const REGISTRATION_CALL = listenerFrame(
  'OAuth2AuthorizationListener',
  169,
  `${CONTROLLER}->clientRegistration`,
);

/** The line in which the grant reports that it refused a client. */
export function validationLine(hint: string): LogMessage {
  return {
    level: 'ERROR',
    message: 'CustomClientCredentialsGrant->validateClient() JWT validation failed',
    context: { error: hint === '' ? REFUSED : MALFORMED, hint },
  };
}

/** A 400 whose hint says what is missing or wrong. */
export function invalidRequest(hint: string, log: readonly LogMessage[] = []): Failure {
  return { status: 400, body: oauthError('invalid_request', MALFORMED, hint), log };
}

/** A line of level ERROR. */
export const error = (message: string, context?: Record<string, unknown>): LogMessage => ({
  level: 'ERROR',
  message,
  ...(context === undefined ? {} : { context }),
});

/** How league/oauth2-server begins the words for its `server_error`. */
export const UNEXPECTED =
  'The authorization server encountered an unexpected condition which prevented it from fulfilling the request: ';

/** The line of an exception that the registration itself catches. @param frames before those of the registration */
export function registrationLine(message: string, frames: readonly PhpFrame[] = []): LogMessage {
  return error(`Exception occurred ${message}`, {
    trace: phpTrace([...frames, REGISTRATION_CALL, ...OAUTH_LISTENER]),
  });
}

/** A scope that the server does not know. */
export function scopeInvalid({ scope = '', problem }: FailureDetail): Failure {
  const repository = 'ScopeRepository->getScopeEntityByIdentifier()';
  return {
    status: 400,
    body: oauthError(
      'invalid_scope',
      BAD_SCOPE,
      scope === ''
        ? 'Specify a scope in the request or set a default scope'
        : `Check the \`${scope}\` scope`,
    ),
    log: [
      ...(problem === undefined
        ? []
        : [
            error(`${repository} invalid scope format for identifier`, {
              scope,
              exception: problem,
            }),
          ]),
      error(`${repository} request access to invalid scope`, { scope }),
    ],
  };
}
