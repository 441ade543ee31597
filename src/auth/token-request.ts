/** The token request: what is sent, and sending it once. */
import type { Dispatcher } from 'undici';

import type { Clock } from '../base/contracts.ts';
import { TokenError } from '../base/errors.ts';
import { buildClientAssertion } from './client-assertion.ts';
import { type HttpAnswer, requestAnswer } from './http-answer.ts';
import { parseNetworkFailure } from './network-failure.ts';
import type { SigningKey } from './signing-key.ts';
import { processTokenResponse, type TokenResponse } from './token-response.ts';

/** `client_assertion_type` of a JWT (RFC 7523 section 2.2). */
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Fields and body of a client_credentials request (RFC 6749 section 4.4.2) whose client proves itself
 * by an assertion (RFC 7523 section 2.2). No `Authorization`, no cookie and no `X-Forwarded-*`: each
 * of them changes what OpenEMR answers.
 */
export function buildTokenRequest(options: { scopes: readonly string[]; assertion: string }): {
  headers: Record<string, string>;
  body: string;
} {
  return {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: options.scopes.join(' '),
      client_assertion_type: JWT_BEARER,
      client_assertion: options.assertion,
    }).toString(),
  };
}

/** What one token request needs. */
export interface TokenRequestOptions {
  /** Where it is sent. */
  url: string;
  /** `aud` of the assertion. */
  audience: string;
  client: { id: string; scopes: readonly string[] };
  key: SigningKey;
  /** See {@link AnswerRequest.dispatcher}: not bound to one origin. */
  dispatcher: Dispatcher;
  /** Milliseconds for the request. */
  timeoutMs: number;
  /** Whether "tls.ca" is set, for the words about a certificate that is not trusted; default no. */
  hasAuthority?: boolean | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/** Sends one token request with a new assertion. Rejects with TokenError, or with the reason of `signal`. */
export async function requestToken(options: TokenRequestOptions): Promise<TokenResponse> {
  const { url, audience, client, key, dispatcher, timeoutMs, clock, signal, hasAuthority } =
    options;
  const assertion = await buildClientAssertion({ key, clientId: client.id, audience, clock });
  let answer: HttpAnswer;
  try {
    answer = await requestAnswer({
      url,
      method: 'POST',
      ...buildTokenRequest({ scopes: client.scopes, assertion }),
      dispatcher,
      timeoutMs,
      signal,
      clock,
    });
  } catch (error) {
    signal.throwIfAborted();
    const { reason, remedy, kind } = parseNetworkFailure(error, { hasAuthority });
    throw new TokenError(
      'token-endpoint-unreachable',
      `no answer from the token endpoint "${url}": ${reason}; ${remedy}`,
      { kind, cause: error },
    );
  }
  return processTokenResponse(answer, { url, requestedScopes: client.scopes });
}
