/** Answers that many failures share. */
import type { Certainty } from '../../base/contracts.ts';
import type { AnswerSign } from '../answer.ts';

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
