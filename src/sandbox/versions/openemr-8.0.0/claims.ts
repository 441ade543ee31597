/** What OpenEMR 8.0.0 refuses in the claims of an assertion before it looks at the signature. */
import type { ParsedJwt } from '../../jwt.ts';
import type { Failure } from '../failure.ts';
import { invalidRequest, validationLine } from './oauth-parts.ts';

const MOST_AHEAD_MS = 24 * 3_600_000;
const OLDEST_MS = 5 * 60_000;

/** `iss` is the client's id, `exp` at most 24 h ahead, `iat` at most 5 min old, and there is a `jti`. */
export function refuseClaims(
  { claims }: ParsedJwt,
  clientId: string,
  nowMs: number,
): Failure | undefined {
  const { iss, exp, iat } = claims;
  if (iss !== clientId) {
    return refuse('Invalid issuer claim', 'JWT iss claim does not match client_id', {
      iss,
      client_id: clientId,
    });
  }
  const latestMs = nowMs + MOST_AHEAD_MS;
  if (exp instanceof Date && exp.getTime() > latestMs) {
    return refuse(
      'Token expiration exceeds maximum allowed time',
      'JWT expiration exceeds maximum allowed time',
      { exp: atom(exp.getTime()), max_exp: atom(latestMs) },
    );
  }
  const earliestMs = nowMs - OLDEST_MS;
  if (iat instanceof Date && iat.getTime() < earliestMs) {
    return refuse('Token issued too far in the past', 'JWT issued too far in the past', {
      iat: atom(iat.getTime()),
      min_iat: atom(earliestMs),
    });
  }
  if (!('jti' in claims)) return refuse('Missing jti claim', 'JWT missing required jti claim');
  return undefined;
}

function refuse(hint: string, message: string, context?: Record<string, unknown>): Failure {
  return invalidRequest(hint, [
    { level: 'ERROR', message, ...(context === undefined ? {} : { context }) },
    validationLine(hint),
  ]);
}

/** PHP's `c` format, which writes the year with all its digits. */
function atom(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return '';
  return `${date.toISOString().slice(0, -'.000Z'.length).replace(/^\+0*/, '')}+00:00`;
}
