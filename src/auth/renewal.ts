/** Getting tokens one after another: one request at a time, none while backing off, none after the end. */
import type { TokenRequestEnd } from '../base/contracts.ts';
import { TokenError } from '../base/errors.ts';
import { createBackOff } from './back-off.ts';
import { buildTokenKey, createTokenAttempts, type TokenAttemptOptions } from './token-attempt.ts';
import { createTokenCache } from './token-cache.ts';
import type { HeldToken, Moment } from './token-lifetime.ts';

/** Gets tokens. */
export interface Renewal {
  /** The token obtained last, whatever its age. */
  newest(): HeldToken | undefined;
  /** The same one while it is usable by the wall clock. */
  fresh(): HeldToken | undefined;
  /** The last failure, unless a token was obtained after it. */
  failure(): TokenError | undefined;
  /** Token requests sent so far. */
  requests(): number;
  /** A new token; joins the request under way. Rejects with TokenError: at once while backing off and after the end. */
  request(reason: TokenRequestEnd['reason']): Promise<HeldToken>;
  /** The same without a caller: its failure is logged and remembered, nothing else. */
  requestInBackground(): void;
  /** Ends the back-off; the next request also reads the SMART configuration anew. */
  reset(): void;
  /** Ends the request under way; there will be no other. The token in hand stays. */
  close(): Promise<void>;
}

/**
 * @param now both clocks
 * @param onObtained called with each new token, before those who wait for it get it
 */
export function createRenewal(
  options: TokenAttemptOptions,
  now: () => Moment,
  onObtained: (held: HeldToken) => void,
): Renewal {
  const { clock, logger, discovery, onTokenRequest } = options;
  const backOff = createBackOff(clock);
  const ending = new AbortController();
  const attempts = createTokenAttempts(options, now, ending.signal);
  let newest: HeldToken | undefined;
  let inFlight: Promise<HeldToken> | undefined;
  /** Of the request under way: the reason of the caller that started it. */
  let reason: TokenRequestEnd['reason'] = 'first';

  const obtain = async (): Promise<HeldToken> => {
    const fail = backOff.begin();
    try {
      inFlight = attempts.run((newest?.token.generation ?? 0) + 1);
      newest = await inFlight;
    } catch (error) {
      if (ending.signal.aborted) throw closedError();
      const failure = fail(error instanceof TokenError ? error : unexpectedError(error));
      const { code, kind, message, retryAfterSeconds } = failure;
      onTokenRequest?.({ outcome: kind, reason });
      // What was discovered may be out of date, the audience above all.
      if (kind === 'configuration') discovery.reset();
      logger.warn({ code, kind, retryAfterSeconds }, `no access token: ${message}`);
      throw failure;
    } finally {
      inFlight = undefined;
    }
    // The first token, and one after a failure, are news; renewals are not.
    const level = newest.token.generation === 1 || backOff.last() !== undefined ? 'info' : 'debug';
    logger[level](obtainedFields(newest), 'access token obtained');
    backOff.succeed();
    onTokenRequest?.({ outcome: 'granted', reason });
    onObtained(newest);
    return newest;
  };

  const cache = createTokenCache({ key: buildTokenKey(options), clock, obtain });
  const request: Renewal['request'] = async (why) => {
    if (ending.signal.aborted) throw closedError();
    const refusal = backOff.blocked();
    if (refusal !== undefined) throw refusal;
    if (inFlight === undefined) reason = why;
    return cache.renew();
  };

  return {
    newest: () => newest,
    fresh: () => cache.fresh(),
    failure: () => backOff.last(),
    requests: () => attempts.count(),
    request,
    requestInBackground() {
      if (ending.signal.aborted || inFlight !== undefined || backOff.blocked() !== undefined)
        return;
      // Already logged and remembered.
      request('renewal').catch(() => undefined);
    },
    reset() {
      backOff.reset();
      discovery.reset();
    },
    async close() {
      ending.abort(closedError());
      await Promise.allSettled([inFlight]);
    },
  };
}

function obtainedFields({ token, lifeMs }: HeldToken): object {
  const { generation, grantedScopes } = token;
  return { generation, lifeSeconds: Math.round(lifeMs / 1000), grantedScopes };
}

function closedError(): TokenError {
  return new TokenError('token-source-closed', 'no access token: the proxy is stopping', {
    kind: 'transient',
  });
}

function unexpectedError(cause: unknown): TokenError {
  return new TokenError(
    'token-request-failed',
    'the token request could not be made: an unexpected failure inside the proxy. Run with log level "debug" and report it',
    { kind: 'transient', cause },
  );
}
