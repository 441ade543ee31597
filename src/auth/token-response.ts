/** Judges the answer of a token endpoint (RFC 6749 sections 5.1 and 5.2). */
import { TokenError } from '../base/errors.ts';
import { isScopeToken } from '../base/grammar.ts';
import { type HttpAnswer, keptAnswer } from './http-answer.ts';
import { parseJsonObject, stringMember } from './json-text.ts';
import { cleanServerText } from './redact-secrets.ts';

/**
 * Life of a token whose answer has no usable `expires_in`, in seconds. RFC 6749 section 5.1 only
 * recommends the member, SMART App Launch 2.2 requires it: a server that leaves it out is met with a
 * life short enough for any server.
 */
const ASSUMED_LIFE_SECONDS = 60;

/** A granted token. */
export interface TokenResponse {
  /** A secret. */
  readonly accessToken: string;
  /** From `expires_in`, more than 0. */
  readonly expiresInSeconds: number;
  /** Whether `expires_in` was missing or unusable, so that {@link ASSUMED_LIFE_SECONDS} stands in. */
  readonly lifeAssumed: boolean;
  /** From `scope`; the requested ones when the answer has none (RFC 6749 section 5.1). */
  readonly grantedScopes: readonly string[];
}

/** What was asked, for the judgement. */
export interface TokenResponseContext {
  /** Token endpoint, for messages. */
  url: string;
  requestedScopes: readonly string[];
}

/** Errors of RFC 6749 section 5.2 that no waiting cures. */
const CONFIGURATION_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);
/** Longest token, in characters: with it, a request has to stay below what servers take as header. */
const LONGEST_TOKEN = 16_384;
/** Clocks further apart than this are worth a word, in milliseconds. */
const NOTABLE_CLOCK_DIFFERENCE_MS = 30_000;

/**
 * The token in an answer.
 *
 * @throws TokenError `token-endpoint-redirected`, `token-refused` (an OAuth error, whatever its
 *   status), `token-endpoint-failed` (another status than 200), `token-answer-malformed`,
 *   `token-answer-too-large` or `token-type-unsupported`
 */
export function processTokenResponse(
  answer: HttpAnswer,
  context: TokenResponseContext,
): TokenResponse {
  const { status } = answer;
  if (status >= 300 && status < 400) throw refuseRedirect(answer, context);
  const json = answer.truncated ? undefined : parseJsonObject(answer.body);
  const error = json === undefined ? undefined : stringMember(json, 'error');
  // Some servers answer 200 with an error in the body.
  if (json !== undefined && error !== undefined && json['access_token'] === undefined) {
    throw refuseOAuthError(answer, json, error, context);
  }
  if (status !== 200) throw refuseStatus(answer, context);
  if (answer.truncated) {
    throw fail(answer, 'token-answer-too-large', context, 'answered with more than 1 MiB');
  }
  if (json === undefined) {
    const what = `answered 200 without a JSON object${answer.contentType === undefined ? '' : ` ("${cleanServerText(answer.contentType)}")`}`;
    throw fail(answer, 'token-answer-malformed', context, what, 'check "tokenEndpoint"');
  }
  return processTokenMembers(answer, json, context);
}

function processTokenMembers(
  answer: HttpAnswer,
  json: Record<string, unknown>,
  context: TokenResponseContext,
): TokenResponse {
  const accessToken = stringMember(json, 'access_token', LONGEST_TOKEN);
  if (accessToken === undefined) {
    const what = `answered 200 without an "access_token" of at most ${LONGEST_TOKEN} characters`;
    throw fail(answer, 'token-answer-malformed', context, what, 'check "tokenEndpoint"');
  }
  // Visible ASCII is the grammar of RFC 6749 appendix A.12; anything else would break the field.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) {
    const what = 'answered with an "access_token" that no Authorization field can hold';
    throw fail(answer, 'token-answer-malformed', context, what);
  }
  // Without a type, bearer is assumed: it is the only one that SMART knows.
  const type = json['token_type'] ?? 'bearer';
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    const what = `answered with a token of type "${cleanServerText(typeof type === 'string' ? type : typeof type)}": expected "Bearer"`;
    throw fail(answer, 'token-type-unsupported', context, what);
  }
  const life = parseExpiresIn(json['expires_in']);
  return {
    accessToken,
    expiresInSeconds: life ?? ASSUMED_LIFE_SECONDS,
    lifeAssumed: life === undefined,
    grantedScopes: parseGrantedScopes(json['scope']) ?? context.requestedScopes,
  };
}

/** A number, or a decimal string as some servers send it; undefined when it is neither or not positive. */
function parseExpiresIn(value: unknown): number | undefined {
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value));
  const seconds = isNumeric ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** Scopes separated by blanks; an empty text is no scope at all, which is what OpenEMR grants then. */
function parseGrantedScopes(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.split(/\s+/).filter(isScopeToken);
  if (!Array.isArray(value)) return undefined;
  return value.filter((scope): scope is string => typeof scope === 'string' && isScopeToken(scope));
}

function refuseOAuthError(
  answer: HttpAnswer,
  json: Record<string, unknown>,
  error: string,
  context: TokenResponseContext,
): TokenError {
  const description = stringMember(json, 'error_description') ?? stringMember(json, 'message');
  const hint = stringMember(json, 'hint');
  const said = [description, hint].filter((part) => part !== undefined).map(cleanServerText);
  const what = `refused a token with "${cleanServerText(error)}"${said.length > 0 ? ` (${said.join('; ')})` : ''}, status ${answer.status}${clockWords(answer)}`;
  const kind = CONFIGURATION_ERRORS.has(error) ? 'configuration' : kindOfStatus(answer.status);
  return fail(answer, 'token-refused', context, what, undefined, kind);
}

function refuseStatus(answer: HttpAnswer, context: TokenResponseContext): TokenError {
  const { status } = answer;
  const what = `answered with status ${status}: expected 200${clockWords(answer)}`;
  const remedy = status === 404 || status === 405 ? 'check "tokenEndpoint"' : undefined;
  return fail(answer, 'token-endpoint-failed', context, what, remedy, kindOfStatus(status));
}

function refuseRedirect(answer: HttpAnswer, context: TokenResponseContext): TokenError {
  const target = answer.location === undefined ? '' : ` to "${originAndPath(answer, context.url)}"`;
  const what = `answered with the redirect ${answer.status}${target}: redirects are not followed, so that an assertion reaches nobody else`;
  const remedy = 'set "tokenEndpoint" to the final address';
  return fail(answer, 'token-endpoint-redirected', context, what, remedy);
}

function fail(
  answer: HttpAnswer,
  code: string,
  { url }: TokenResponseContext,
  what: string,
  remedy?: string,
  kind: 'configuration' | 'transient' = 'configuration',
): TokenError {
  const { retryAfterSeconds } = answer;
  return new TokenError(
    code,
    `the token endpoint "${url}" ${what}${remedy === undefined ? '' : `. ${remedy}`}`,
    {
      kind,
      answer: keptAnswer(answer),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  );
}

/** Statuses that pass by waiting: request timeout, too early, too many requests, server errors. */
function kindOfStatus(status: number): 'configuration' | 'transient' {
  return status >= 500 || [408, 425, 429].includes(status) ? 'transient' : 'configuration';
}

function clockWords({ clockDifferenceMs = 0 }: HttpAnswer): string {
  if (Math.abs(clockDifferenceMs) < NOTABLE_CLOCK_DIFFERENCE_MS) return '';
  const seconds = Math.round(Math.abs(clockDifferenceMs) / 1000);
  return `; its clock is ${seconds} s ${clockDifferenceMs > 0 ? 'ahead of' : 'behind'} ours, which alone can be the cause`;
}

function originAndPath({ location = '' }: HttpAnswer, base: string): string {
  if (!URL.canParse(location, base)) return 'an unreadable address';
  const { origin, pathname } = new URL(location, base);
  return cleanServerText(`${origin}${pathname}`);
}
