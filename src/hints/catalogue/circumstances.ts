/** What surrounds a failure: the stage, the version, the age of the token, whose code a log entry names. */
import { isModernVersion } from '../../fhir/openemr-version.ts';
import type { Answer } from '../answer.ts';
import type { LogEntry } from '../error-log/entry.ts';
import type { Evidence, Stage } from '../evidence.ts';

/** A FHIR base of OpenEMR ends like this. */
export const OPENEMR_FHIR_BASE = /\/apis\/[^/]{1,64}\/fhir\/?$/;
const OPENEMR_TOKEN_ENDPOINT = /\/oauth2\/(?!v\d)[^/]{1,64}\/token$/;

/**
 * Whether the server is one of another make, as far as its addresses say: then an entry about
 * OpenEMR needs words that only OpenEMR writes.
 */
export function isOtherServer({ fhirBase, tokenEndpoint }: Evidence, { json }: Answer): boolean {
  if (fhirBase === undefined || OPENEMR_FHIR_BASE.test(fhirBase)) return false;
  if (json?.['resourceType'] !== undefined) return true;
  return tokenEndpoint !== undefined && !OPENEMR_TOKEN_ENDPOINT.test(tokenEndpoint);
}

/** Every stage: what may happen to any request. */
export const EVERYWHERE: readonly Stage[] = ['token', 'fhir', 'discovery', 'registration'];

/**
 * Whether the server is OpenEMR 7.0.4 or later, where routing and error answers were rewritten;
 * undefined when neither version nor answer tell.
 */
export function isModern({ serverVersion }: Evidence, answer?: Answer): boolean | undefined {
  if (answer?.error === 'An error occurred') return true;
  return serverVersion === undefined ? undefined : isModernVersion(serverVersion);
}

/** A token that is this close to its end may be dead already: OpenEMR cuts the expiry to whole seconds. */
export const NEAR_END_MS = 2000;

/** A failed check of the public key names a site that is not the default one. */
export const FAILED_OTHER_SITE =
  /failed token verify for resource \{"resource":"\/(?!default\/)(?<site>[^/"]+)\//;

const OAUTH_CODE =
  /oauth2\/authorize\.php|AuthorizationController|OpenIDConnect|OAuth2AuthorizationListener/;
const API_CODE =
  /apis\/dispatch\.php|RestControllers|_rest_routes|HttpRestRouteHandler|Services[\\/]FHIR|FHIR[\\/]|getRequiredSection/;

/** Whether a log entry names code of the token or registration endpoint; tells stages apart when only a log is at hand. */
export function comesFromOauth({ text }: LogEntry): boolean {
  return OAUTH_CODE.test(text);
}

/** Whether a log entry names code of the FHIR API, and none of the OAuth endpoints. */
export function comesFromFhir({ text }: LogEntry): boolean {
  return API_CODE.test(text) && !OAUTH_CODE.test(text);
}
