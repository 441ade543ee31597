/**
 * OpenEMR 7.0.3: its numbers and names. How each of its failures looks and what its rules do stands
 * beside, in `openemr-7.0.3/`. Seen on a running server; `test/sandbox/conformance.test.ts` compares.
 */
import { admit } from './openemr-7.0.3/admission.ts';
import { API_FAILURES } from './openemr-7.0.3/api-failures.ts';
import { FHIR_RULES } from './openemr-7.0.3/fhir.ts';
import { apiFields, fileFields, oauthFields } from './openemr-7.0.3/fields.ts';
import { OAUTH_FAILURES } from './openemr-7.0.3/oauth-failures.ts';
import { SCOPE_RULES } from './openemr-7.0.3/scopes.ts';
import { oauthSite, readForm } from './openemr-7.0.3/token.ts';
import { phpWarning } from './php.ts';
import type { VersionProfile } from './profile.ts';

/** The rules of OpenEMR 7.0.3. */
export const OPENEMR_7_0_3: VersionProfile = {
  version: '7.0.3',
  http: {
    postMaxBytes: 31_457_280,
    hexesMarkup: false,
    answersOptions: true,
    printKeySet: (keySet) => `${JSON.stringify(keySet, null, 4).replaceAll('/', '\\/')}\n`,
    rewritesByForm: true,
    methodOf: ({ method }) => method,
    // OpenEMR takes the folder's name, "apis", for the site.
    scriptEndpoint: (path) => path,
    apiFields,
    fileFields,
    oauthFields,
    oauthSite,
    interceptOauth: () => undefined,
    admit,
  },
  token: {
    grantTypes: ['client_credentials'],
    lifetimeSeconds: 300,
    readForm,
    claims: (granted, _issuer, site) => ({ scopes: [...granted, `site:${site}`] }),
    idTokenWarning: phpWarning(
      'Undefined variable $fhirUser',
      'src/Common/Auth/OpenIDConnect/Entities/UserEntity.php',
      88,
    ),
  },
  assertion: {
    algorithm: 'RS384',
    leewaySeconds: 60,
    emptyIsMissing: false,
    refuseClaims: () => undefined,
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
    replayWarning: ({ claims: { iss, exp, jti } }) => ({
      level: 'EMERGENCY',
      message:
        'OpenEMR\\Common\\Auth\\OpenIDConnect\\JWT\\Validation\\UniqueID->assert() Attempted duplicate usage of JWT token.  This could be a replay attack',
      context: { clientId: iss, exp, jti },
    }),
  },
  scopes: SCOPE_RULES,
  registration: {
    answerType: 'text/html; charset=utf-8',
    stored: false,
    authMethods: ['client_secret_basic', 'client_secret_post'],
    refuse: () => undefined,
    warnings: () => [],
  },
  fhir: FHIR_RULES,
  oauthFailure: (name, detail) => OAUTH_FAILURES[name](detail),
  apiFailure: (name, detail) => API_FAILURES[name](detail),
};
