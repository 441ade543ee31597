/** The code of a connection that failed, wherever Node, OpenSSL or undici has put it. */

/** Causes may form a ring; nothing real is deeper. */
const DEEPEST_CAUSE = 5;

/**
 * For an answer of status 100 or 101 that nobody asked for. undici breaks the connection off, though
 * RFC 9110 section 15.2 would have the former passed over, and tells it by its words alone; of other
 * interim answers it waits for the final one.
 */
export const UNASKED_INTERIM = 'HPE_UNASKED_INTERIM';
const UNASKED: readonly string[] = ['bad response', 'bad upgrade'];

/**
 * Code of the failure underneath, such as `ECONNREFUSED`, `CERT_HAS_EXPIRED`,
 * `UND_ERR_HEADERS_TIMEOUT` or `HPE_INVALID_CONSTANT`; undefined when there is none. Looks through
 * `cause`, and through the attempts of an AggregateError (RFC 8305), of which the first with a code counts.
 */
export function networkCode(failure: unknown, depth = 0): string | undefined {
  if (!(failure instanceof Error) || depth > DEEPEST_CAUSE) return undefined;
  const { code } = failure as NodeJS.ErrnoException;
  const deeper = (): string | undefined => networkCode(failure.cause, depth + 1);
  if (code === 'UND_ERR_SOCKET' && UNASKED.includes(failure.message)) return UNASKED_INTERIM;
  // UND_ERR_SOCKET wraps what really happened.
  if (code === 'UND_ERR_SOCKET') return deeper() ?? code;
  if (typeof code === 'string' && !isOwnCode(code)) return code;
  // undici's parser has no code for an answer that does not even begin like HTTP.
  if (failure.name === 'HTTPParserError') return 'HPE_INVALID_CONSTANT';
  const attempts: unknown[] = failure instanceof AggregateError ? failure.errors : [];
  const codes = attempts.map((attempt) => networkCode(attempt, depth + 1));
  return codes.find((each) => each !== undefined) ?? deeper();
}

/** The codes of this program's own errors are lower-case; those of the platform are not. */
function isOwnCode(code: string): boolean {
  return code === code.toLowerCase();
}
