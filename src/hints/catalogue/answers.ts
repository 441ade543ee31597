/** Answers that many failures share. */
import type { Certainty } from '../../contracts.ts';
import { isModernVersion } from '../../fhir/openemr-version.ts';
import type { Answer, AnswerSign } from '../answer.ts';
import type { LogEntry } from '../error-log/entry.ts';
import type { Evidence } from '../evidence.ts';
import type { Link } from './entry.ts';

/** What client, JWKS and parse problems get: one body for all of them. */
export const INVALID_CLIENT_401: AnswerSign = { status: 401, error: 'invalid_client' };

/**
 * What signature and claim problems get. Up to 7.0.3 an `Authorization` field on the token request
 * turns the 400 into 401.
 */
export const INVALID_CLIENT_400: AnswerSign = { status: [400, 401], error: 'invalid_client' };

/** Answers of 7.0.4 and later for everything but token errors: `{"error":"An error occurred","message":…}`. */
export function wrapped(
  status: number | readonly number[],
  message: RegExp,
  proves?: Certainty,
): AnswerSign {
  return {
    status,
    error: 'An error occurred',
    message,
    ...(proves === undefined ? {} : { proves }),
  };
}

/** A status with nothing behind it, which is how 7.0.3 and older fail. */
export function bare(status: number | readonly number[], proves?: Certainty): AnswerSign {
  return { status, body: 'empty', ...(proves === undefined ? {} : { proves }) };
}

/** Admin screen of the clients. */
export const API_CLIENTS = 'Admin > System > API Clients';
/** Admin screen of the API switches; in 6.x "Administration > Globals > Connectors". */
export const CONNECTORS = 'Admin > Config > Connectors';

/** An issue or pull request of OpenEMR. */
export function openemrIssue(number: number, label: string): Link {
  return { label, url: `https://github.com/openemr/openemr/issues/${number}` };
}

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
