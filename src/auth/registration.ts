/** Dynamic client registration (RFC 7591) and its opposite (RFC 7592), as every OpenEMR takes it. */
import type { JWK } from 'jose';
import type { Dispatcher } from 'undici';

import type { Clock } from '../base/contracts.ts';
import { RegistrationError } from '../base/errors.ts';
import { isScopeToken, isVisibleText } from '../base/grammar.ts';
import { type HttpAnswer, keptAnswer, requestAnswer } from './http-answer.ts';
import { parseJsonObject, stringMember, urlMember } from './json-text.ts';
import { parseNetworkFailure } from './network-failure.ts';
import { cleanServerText } from './redact-secrets.ts';

/** What a new client says about itself. */
export interface ClientDescription {
  clientName: string;
  scopes: readonly string[];
  /** Mail addresses of people to ask. */
  contacts: readonly string[];
  /** Public keys, or where the server fetches them at every token request. */
  keys: { jwks: { keys: JWK[] } } | { jwksUri: string };
}

/** Never called: a backend client has no user whose browser could be redirected. OpenEMR insists on one. */
export const REDIRECT_URI = 'https://localhost/';

/**
 * Client metadata (RFC 7591 section 2) for a client that proves itself with its key. OpenEMR wants
 * `application_type` and `redirect_uris`, takes the JWK Set as an object only, and no version but the
 * latest knows `private_key_jwt` as `token_endpoint_auth_method`, which is therefore left out.
 */
export function buildClientMetadata(client: ClientDescription): Record<string, unknown> {
  const { clientName, scopes, contacts, keys } = client;
  return {
    application_type: 'private',
    client_name: clientName,
    redirect_uris: [REDIRECT_URI],
    contacts,
    scope: scopes.join(' '),
    ...('jwks' in keys ? { jwks: keys.jwks } : { jwks_uri: keys.jwksUri }),
  };
}

/** A client that the server knows from now on. */
export interface RegisteredClient {
  clientId: string;
  /** Scopes as registered; undefined when the answer does not tell. */
  scopes: readonly string[] | undefined;
  /** Where and with what it can be removed (RFC 7592); not enumerable, the token is a credential. */
  readonly removal: RegistrationAccess | undefined;
}

/** Access to a registration (RFC 7592 section 3). */
export interface RegistrationAccess {
  registrationClientUri: string;
  registrationAccessToken: string;
}

/** Means of a registration request. */
export interface RegistrationRequestOptions {
  /** See {@link AnswerRequest.dispatcher}: not bound to one origin. */
  dispatcher: Dispatcher;
  /** Milliseconds for the request. */
  timeoutMs: number;
  clock: Clock;
}

/**
 * Registers a client. A client secret in the answer is dropped: this client has a key.
 *
 * @param url registration endpoint
 * @throws RegistrationError, see {@link processRegistrationResponse}; `registration-unreachable`
 */
export async function requestRegistration(
  url: string,
  metadata: Record<string, unknown>,
  options: RegistrationRequestOptions,
): Promise<RegisteredClient> {
  let answer: HttpAnswer;
  try {
    answer = await requestAnswer({
      ...options,
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(metadata),
    });
  } catch (error) {
    const { reason, remedy } = parseNetworkFailure(error);
    throw new RegistrationError(
      'registration-unreachable',
      `no answer from the registration endpoint "${url}": ${reason}; ${remedy}`,
      { cause: error },
    );
  }
  return processRegistrationResponse(answer, url);
}

/**
 * Judges an answer to a registration; OpenEMR 7 types a success as HTML.
 *
 * @throws RegistrationError `registration-refused` (an OAuth error, RFC 7591 section 3.2.2),
 *   `registration-closed` (401, 403, 404, 405, 501), `registration-failed` (another status) or
 *   `registration-malformed`
 */
export function processRegistrationResponse(answer: HttpAnswer, url: string): RegisteredClient {
  const json = answer.truncated ? undefined : parseJsonObject(answer.body);
  const clientId = json === undefined ? undefined : stringMember(json, 'client_id');
  const { status } = answer;
  if (json === undefined || clientId === undefined || (status !== 200 && status !== 201)) {
    throw refuse(answer, json, url);
  }
  if (clientId.length > LONGEST_CLIENT_ID || !isVisibleText(clientId)) {
    throw new RegistrationError(
      'registration-malformed',
      `the registration endpoint "${url}" answered with a "client_id" that is none: expected at most ${LONGEST_CLIENT_ID} visible ASCII characters (RFC 6749 appendix A.1). Ask the people who run the server`,
      { answer: keptAnswer(answer) },
    );
  }
  const registrationClientUri = urlMember(json, 'registration_client_uri');
  const registrationAccessToken = stringMember(json, 'registration_access_token');
  const scope = stringMember(json, 'scope', LONGEST_SCOPES);
  const client = { clientId, scopes: scope?.split(' ').filter(isScopeToken) };
  Object.defineProperty(client, 'removal', {
    enumerable: false,
    value:
      registrationClientUri === undefined || registrationAccessToken === undefined
        ? undefined
        : { registrationClientUri, registrationAccessToken },
  });
  return client as RegisteredClient;
}

/** Characters. OpenEMR's have 43. */
const LONGEST_CLIENT_ID = 512;
/** Characters: OpenEMR repeats every scope that it announces. */
const LONGEST_SCOPES = 262_144;
const CLOSED = new Set([401, 403, 404, 405, 501]);

function refuse(
  answer: HttpAnswer,
  json: Record<string, unknown> | undefined,
  url: string,
): RegistrationError {
  const { status } = answer;
  const fail = (code: string, what: string) =>
    new RegistrationError(code, `the registration endpoint "${url}" ${what}`, {
      answer: keptAnswer(answer),
    });
  const said = json === undefined ? undefined : sayings(json);
  if (said !== undefined && status >= 400) {
    return fail('registration-refused', `refused the client with ${said}, status ${status}`);
  }
  if (CLOSED.has(status)) {
    return fail(
      'registration-closed',
      `is closed: it answered with status ${status}. Register the client by hand`,
    );
  }
  if (status !== 200 && status !== 201) {
    return fail(
      'registration-failed',
      `answered with status ${status}: expected 200. The server's error log tells why`,
    );
  }
  return fail('registration-malformed', `answered ${status} without a "client_id"`);
}

/** What the server says is wrong: error, description and hint of OAuth, or the message of OpenEMR 8. */
function sayings(json: Record<string, unknown>): string | undefined {
  const error = stringMember(json, 'error');
  if (error === undefined) return undefined;
  const description = stringMember(json, 'error_description') ?? stringMember(json, 'message');
  const details = [description, stringMember(json, 'hint')].filter((part) => part !== undefined);
  return `"${cleanServerText(error)}"${details.length === 0 ? '' : ` (${details.map(cleanServerText).join('; ')})`}`;
}

/**
 * Removes a registration (RFC 7592 section 2.3).
 *
 * @throws RegistrationError `registration-unreachable` or `removal-refused`
 */
export async function requestRemoval(
  { registrationClientUri: url, registrationAccessToken }: RegistrationAccess,
  options: RegistrationRequestOptions,
): Promise<void> {
  let answer: HttpAnswer;
  try {
    const headers = { authorization: `Bearer ${registrationAccessToken}` };
    answer = await requestAnswer({ ...options, url, method: 'DELETE', headers });
  } catch (error) {
    const { reason, remedy } = parseNetworkFailure(error);
    throw new RegistrationError(
      'registration-unreachable',
      `no answer from "${url}": ${reason}; ${remedy}`,
      { cause: error },
    );
  }
  if (answer.status === 204 || answer.status === 200) return;
  throw new RegistrationError(
    'removal-refused',
    `the server does not remove the client: "${url}" answered with status ${answer.status}. OpenEMR has no way for programs; disable the client under Admin > System > API Clients`,
    { answer: keptAnswer(answer) },
  );
}
