/** One attempt after another to get a token: where to, with a new assertion, and what came of it. */
import type { Dispatcher } from 'undici';

import type { Clock, Logger, TokenRequestEnd } from '../base/contracts.ts';
import { untilAborted } from '../base/until-aborted.ts';
import type { Discovery } from './discovery.ts';
import type { SigningKey } from './signing-key.ts';
import { resolveTokenEndpoint } from './token-endpoint.ts';
import { type HeldToken, holdToken, type Moment } from './token-lifetime.ts';
import { requestToken } from './token-request.ts';

/** What selects a token, and the means to get it. */
export interface TokenAttemptOptions {
  /** Exactly these scopes are asked for: OpenEMR 8 grants more than was registered to a client that asks. */
  client: { id: string; scopes: readonly string[] };
  key: SigningKey;
  discovery: Discovery;
  /** Address of the token endpoint; default: the discovered one. */
  tokenEndpoint?: string | undefined;
  /** `aud` of the assertions; default: the token endpoint as discovered, else `tokenEndpoint`. */
  audience?: string | undefined;
  /** An `Agent`, not a `Pool`: the token endpoint may have another origin than the FHIR server. */
  dispatcher: Dispatcher;
  /** Milliseconds for one token request. */
  timeoutMs: number;
  /** See {@link TokenRequestOptions}. */
  hasAuthority?: boolean | undefined;
  clock: Clock;
  logger: Logger;
  /** Told how each token request ended. */
  onTokenRequest?: ((end: TokenRequestEnd) => void) | undefined;
}

/** Makes attempts and counts them. */
export interface TokenAttempts {
  /** Asks once. Rejects with TokenError, or with the reason of the signal. */
  run(generation: number): Promise<HeldToken>;
  /** Token requests sent so far. */
  count(): number;
}

/**
 * @param now both clocks
 * @param signal ends the attempt under way
 */
export function createTokenAttempts(
  options: TokenAttemptOptions,
  now: () => Moment,
  signal: AbortSignal,
): TokenAttempts {
  const { client, logger } = options;
  let count = 0;
  let toldAssumedLife = false;
  return {
    async run(generation) {
      const endpoint = await untilAborted(resolveTokenEndpoint(options), signal);
      count += 1;
      const sent = now();
      const response = await requestToken({ ...options, ...endpoint, signal });
      if (response.lifeAssumed && !toldAssumedLife) {
        toldAssumedLife = true;
        logger.warn(
          { assumedSeconds: response.expiresInSeconds },
          'the token answer has no usable "expires_in": a short life is assumed',
        );
      }
      return holdToken({ ...response, generation, sent, requestedScopes: client.scopes });
    },
    count: () => count,
  };
}

/** JSON of everything that selects a token: no two tokens can be taken for each other. */
export function buildTokenKey(options: TokenAttemptOptions): string {
  const { client, key, discovery, tokenEndpoint = null, audience = null } = options;
  const { id, scopes } = client;
  return JSON.stringify([discovery.url, tokenEndpoint, audience, id, scopes, key.alg, key.kid]);
}
