/**
 * OpenEMR 8.0.0: its numbers and names, and what its rules do differently from 7.0.3. How each of its
 * failures looks stands beside, in `openemr-8.0.0/`. Seen on a running server;
 * `test/sandbox/conformance.test.ts` compares.
 *
 * - every failure is JSON, `{"error":"An error occurred","message":…,"code":…}`, and is logged with a
 *   stack trace (`errors.ts`);
 * - an assertion is judged by its claims before its signature (`claims.ts`);
 * - a token request may be JSON (`token.ts`);
 * - scopes are compared by their letters, search and read apart (`scopes.ts`);
 * - `X-HTTP-Method-Override` changes a POST, `_REWRITE_COMMAND` counts in the query alone;
 * - answers carry one cookie, and every `/` of a body is written `\/` (`fields.ts`, `fhir.ts`);
 * - the documents do not tell the version, and smart-configuration no system scope (`documents.ts`).
 */
import type { SandboxRequest } from '../exchange.ts';
import { phpJson } from '../php-json.ts';
import type { Failure } from './failure.ts';
import { OPENEMR_7_0_3 } from './openemr-7.0.3.ts';
import { admit } from './openemr-8.0.0/admission.ts';
import { API_FAILURES } from './openemr-8.0.0/api-failures.ts';
import { refuseClaims } from './openemr-8.0.0/claims.ts';
import { LOGIN_PAGE, overrideRefused } from './openemr-8.0.0/errors.ts';
import { FHIR_RULES } from './openemr-8.0.0/fhir.ts';
import { apiFields, fileFields, oauthFields } from './openemr-8.0.0/fields.ts';
import { OAUTH_FAILURES } from './openemr-8.0.0/oauth-failures.ts';
import { REGISTRATION_RULES } from './openemr-8.0.0/registration.ts';
import { SCOPE_RULES } from './openemr-8.0.0/scopes.ts';
import { oauthSite, readForm } from './openemr-8.0.0/token.ts';
import type { VersionProfile } from './profile.ts';

/** The rules of OpenEMR 8.0.0. */
export const OPENEMR_8_0_0: VersionProfile = {
  version: '8.0.0',
  http: {
    postMaxBytes: 31_457_280,
    hexesMarkup: true,
    answersOptions: false,
    printKeySet: (keySet) => phpJson(keySet),
    rewritesByForm: false,
    methodOf,
    // A script's name in the path changes nothing.
    scriptEndpoint: (path) => path.replace(/^\/[^/]*\/[^/]*/, '') || '/',
    apiFields,
    fileFields,
    oauthFields,
    oauthSite,
    interceptOauth: ({ headers }) =>
      (headers['apicsrftoken'] ?? '') === '' ? undefined : LOGIN_PAGE,
    admit,
  },
  token: {
    grantTypes: ['client_credentials'],
    lifetimeSeconds: 300,
    readForm,
    claims: (scopes, issuer) => ({ scopes, iss: issuer }),
  },
  assertion: {
    ...OPENEMR_7_0_3.assertion,
    emptyIsMissing: true,
    refuseClaims,
  },
  scopes: SCOPE_RULES,
  registration: REGISTRATION_RULES,
  fhir: FHIR_RULES,
  oauthFailure: (name, detail) => OAUTH_FAILURES[name](detail),
  apiFailure: (name, detail) => API_FAILURES[name](detail),
};

/** Symfony takes the method from `X-HTTP-Method-Override`, but of a POST alone. */
function methodOf({ method, headers, path }: SandboxRequest): string | Failure {
  const override = headers['x-http-method-override']?.toUpperCase() ?? '';
  if (method !== 'POST' || override === '') return method;
  return /^[A-Z]+$/.test(override) ? override : overrideRefused(override, path);
}
