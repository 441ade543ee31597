/**
 * Fields that cross from the client to the upstream: everything but hop-by-hop fields (RFC 9110
 * section 7.6.1), credentials of others, and what could steer OpenEMR.
 */

import { narrowAcceptEncoding } from './content-coding.ts';

/** Names that never cross, lower-case. The transport makes `host` and the framing itself. */
const REMOVED: ReadonlySet<string> = new Set([
  // Credentials: the proxy's token is the only one that reaches the upstream.
  'authorization',
  'proxy-authorization',
  'cookie',
  'apicsrftoken',
  'x-api-key',
  // Where a request came from and whom it was for: unchecked, and it changes what servers answer.
  'forwarded',
  'forwarded-for',
  'forwarded-host',
  'forwarded-proto',
  'x-forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-user',
  'remote-user',
  'remote-addr',
  'client-ip',
  'real-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-envoy-external-address',
  'x-envoy-original-path',
  'x-host',
  'x-original-host',
  'x-http-host-override',
  'x-http-destinationurl',
  'x-original-forwarded-for',
  'x-proxyuser-ip',
  'x-scheme',
  'x-url-scheme',
  'x-ssl-client-cert',
  'ssl-client-cert',
  'x-client-cert',
  'client-cert',
  'client-cert-chain',
  'front-end-https',
  // Hop-by-hop, and Expect, which Node has answered already.
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  // PHP would take this for the HTTP_PROXY environment variable (CVE-2016-5385).
  'proxy',
  // OpenEMR 8 obeys an overriding method: read-only would be a fiction.
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  // Frameworks take these for the path that is asked for (CVE-2018-14773).
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-override-url',
  'x-method',
]);

const REMOVED_PREFIXES = ['x-forwarded-', 'sec-fetch-', 'access-control-request-'] as const;

/** What a spelling of a name means, remembered: real traffic uses the same two dozen for ever. */
const verdicts = new Map<string, boolean>();
const MOST_VERDICTS = 1024;

/** Whether a field with this name may cross to the upstream. */
function crossesToUpstream(name: string): boolean {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const verdict =
    // CGI maps every character but letters and digits to "_" in the name of a variable, so that
    // X_Forwarded.For would be read as X-Forwarded-For: such names have no other use.
    /^[a-z\d-]+$/.test(lower) &&
    !REMOVED.has(lower) &&
    !REMOVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
  if (verdicts.size < MOST_VERDICTS) verdicts.set(name, verdict);
  return verdict;
}

/** What {@link buildRequestFields} needs besides the client's own fields. */
export interface RequestFieldOptions {
  /** Value of the `Authorization` field to set, or undefined for an open path. */
  authorization: string | undefined;
  codings: AcceptedCodings;
  /** What this gateway adds to `Via` (RFC 9110 section 7.6.3); after the client's own, if there are any. */
  via?: string | undefined;
}

/**
 * Which content codings the upstream may use: those that the client takes (`any`), of these the ones
 * that this proxy can undo in order to rewrite the answer (`readable`), or none (`identity`).
 */
export type AcceptedCodings = 'any' | 'readable' | 'identity';

/**
 * Fields for the upstream as a flat list of names and values; order, spelling and duplicates of
 * what crosses survive.
 *
 * @param rawFields the client's fields as Node's `rawHeaders`
 */
export function buildRequestFields(
  rawFields: readonly string[],
  { authorization, codings, via }: RequestFieldOptions,
): string[] {
  const named = connectionOptions(rawFields);
  const fields: string[] = [];
  let accepted: string | undefined;
  for (let i = 0; i < rawFields.length; i += 2) {
    const name = rawFields[i]!;
    if (!crossesToUpstream(name)) continue;
    if (named !== undefined && named.has(name.toLowerCase())) continue;
    const value = rawFields[i + 1]!;
    if (codings !== 'any' && name.length === 15 && name.toLowerCase() === 'accept-encoding') {
      accepted = accepted === undefined ? value : `${accepted}, ${value}`;
      continue;
    }
    fields.push(name, value);
  }
  if (codings === 'identity') fields.push('Accept-Encoding', 'identity');
  else if (codings === 'readable') fields.push('Accept-Encoding', narrowAcceptEncoding(accepted));
  if (via !== undefined) fields.push('Via', via);
  if (authorization !== undefined) fields.push('Authorization', authorization);
  return fields;
}

/** Framing is not a client's to take away by naming it as a connection option. */
const NOT_OPTIONS: ReadonlySet<string> = new Set(['', 'close', 'keep-alive', 'content-length']);

/** Lower-case field names that the client's `Connection` fields name; undefined when there are none. */
function connectionOptions(rawFields: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < rawFields.length; i += 2) {
    const name = rawFields[i]!;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const option of rawFields[i + 1]!.split(',')) {
      const lower = option.trim().toLowerCase();
      if (NOT_OPTIONS.has(lower)) continue;
      named ??= new Set();
      named.add(lower);
    }
  }
  return named;
}
