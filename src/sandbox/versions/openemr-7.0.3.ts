/**
 * OpenEMR 7.0.3: its numbers and names. How each of its failures looks stands beside, in
 * `openemr-7.0.3/`. Seen on a running server; `test/sandbox-conformance.test.ts` compares.
 */
import { API_FAILURES } from './openemr-7.0.3/api-failures.ts';
import { FHIR_RULES } from './openemr-7.0.3/fhir.ts';
import { OAUTH_FAILURES } from './openemr-7.0.3/oauth-failures.ts';
import { announcedScopes, knownScopes, smartScopes } from './openemr-7.0.3/scopes.ts';
import { phpWarning } from './php.ts';
import type { VersionProfile } from './profile.ts';

/** The rules of OpenEMR 7.0.3. */
export const OPENEMR_7_0_3: VersionProfile = {
  version: '7.0.3',
  grantTypes: ['client_credentials'],
  assertion: { algorithm: 'RS384', leewaySeconds: 60 },
  tokenLifetimeSeconds: 300,
  postMaxBytes: 31_457_280,
  authMethods: ['client_secret_basic', 'client_secret_post'],
  registrationType: 'text/html; charset=utf-8',
  knownScopes,
  announcedScopes,
  smartScopes,
  tolerates: (scope) => scope.toLowerCase().includes('site:'),
  constraints: {
    issuedInFuture: 'The token was issued in the future',
    notYet: 'The token cannot be used yet',
    expired: 'The token is expired',
    signer: 'Token signer mismatch',
    signature: 'Token signature mismatch',
    issuer: 'The token was not issued by the given issuers',
    audience: 'The token is not allowed to be used by this audience',
    idMissing: 'jti claim is required for JWT',
    idUsed: 'jti claim has already been used',
  },
  replayWarning:
    'OpenEMR\\Common\\Auth\\OpenIDConnect\\JWT\\Validation\\UniqueID->assert() Attempted duplicate usage of JWT token.  This could be a replay attack',
  idTokenWarning: phpWarning(
    'Undefined variable $fhirUser',
    'src/Common/Auth/OpenIDConnect/Entities/UserEntity.php',
    88,
  ),
  oauthFailure: (name, detail) => OAUTH_FAILURES[name](detail),
  apiFailure: (name, detail) => API_FAILURES[name](detail),
  fhir: FHIR_RULES,
};
