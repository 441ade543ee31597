/** `OPTIONS`: CORS preflights (Fetch standard) and the plain question what is allowed (RFC 9110 section 9.3.7). */
import type { ScannedFields } from './field-scan.ts';

/** How long a browser may remember the answer, in seconds; short, since the configuration can change. */
const MAX_AGE_SECONDS = 600;
/** Longest list of field names that is granted as asked. */
const MAX_REQUEST_HEADERS = 2048;
/** Granted when the list asked for cannot be granted as it is. */
const USUAL_HEADERS = 'Accept, Content-Type, If-Match, If-None-Exist, If-None-Match, Prefer';
const VARY =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network';

/**
 * The raw fields of the 204 answer. Credentials are never allowed: there are none that a page could have.
 *
 * @param corsFields the origin's own fields; empty when no browser asks
 * @param allow methods that the path takes, as an `Allow` field lists them
 */
export function buildOptionsFields(
  fields: ScannedFields,
  corsFields: readonly string[],
  allow: string,
): readonly string[] {
  if (fields.originCount === 0 || fields.requestMethod === '') {
    return ['Allow', allow, ...corsFields];
  }
  const answer = [
    'Access-Control-Allow-Origin',
    fields.origin,
    'Access-Control-Allow-Methods',
    allow,
    'Access-Control-Allow-Headers',
    isFieldList(fields.requestHeaders) ? fields.requestHeaders : USUAL_HEADERS,
    'Access-Control-Max-Age',
    `${MAX_AGE_SECONDS}`,
    'Vary',
    VARY,
  ];
  // Private Network Access: a page of a public origin asks for this before it may reach this machine.
  if (fields.requestPrivateNetwork === 'true') {
    answer.push('Access-Control-Allow-Private-Network', 'true');
  }
  return answer;
}

function isFieldList(text: string): boolean {
  return (
    text !== '' &&
    text.length <= MAX_REQUEST_HEADERS &&
    /^[A-Za-z0-9!#$%&'*+.^_`|~, -]+$/.test(text)
  );
}
