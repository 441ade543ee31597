/** How the registration of OpenEMR 8.0.0 fails. */
import type { Failure, FailureDetail, OauthFailureName } from '../failure.ts';
import { oauthError } from '../league.ts';
import { badRequest } from './errors.ts';
import {
  BAD_SCOPE,
  CONTROLLER,
  CONTROLLER_FILE,
  OAUTH_LISTENER,
  REGISTRATION_CALL,
  registrationLine,
  scopeInvalid,
  SCRIPT,
} from './oauth-parts.ts';

type RegistrationFailureName = Extract<OauthFailureName, `registration-${string}`>;

/** By name of the failure. */
export const REGISTRATION_FAILURES: Record<
  RegistrationFailureName,
  (detail: FailureDetail) => Failure
> = {
  'registration-content-type': () => badMetadata('Unexpected content type'),
  'registration-not-json': () =>
    badRequest('Could not decode request body.', SCRIPT, {
      code: '4',
      frames: [
        [CONTROLLER_FILE, 264, 'Symfony\\Component\\HttpFoundation\\Request->getPayload'],
        REGISTRATION_CALL,
        ...OAUTH_LISTENER,
      ],
    }),
  'registration-redirect-uris': () => ({
    status: 400,
    body: oauthError('invalid_redirect_uri', 'redirect_uris is invalid'),
    log: [registrationLine('redirect_uris is invalid')],
  }),
  'registration-jwks': () => badMetadata('jwks is invalid'),
  'registration-auth-method': ({ message }) =>
    badMetadata(`Unsupported token_endpoint_auth_method value : ${message}`),
  'registration-not-confidential': () =>
    badMetadata('system and user scopes are only allowed for confidential clients'),
  'registration-scope-missing': () =>
    registrationScopeInvalid({ scope: '', problem: 'Invalid scope format: ' }),
  'registration-scope-invalid': registrationScopeInvalid,
};

function badMetadata(description: string): Failure {
  return {
    status: 400,
    body: oauthError('invalid_client_metadata', description),
    log: [registrationLine(description)],
  };
}

function registrationScopeInvalid(detail: FailureDetail): Failure {
  const failure = scopeInvalid(detail);
  const line = registrationLine(BAD_SCOPE, [
    [CONTROLLER_FILE, 453, 'League\\OAuth2\\Server\\Exception\\OAuthServerException::invalidScope'],
    [CONTROLLER_FILE, 333, `${CONTROLLER}->validateScopesAgainstServerApprovedScopes`],
  ]);
  return { ...failure, log: [...(failure.log ?? []), line] };
}
