import { ProxyError } from '../base/errors.ts';
/**
 * Calls from browsers: the `Origin` field (RFC 6454) and `Sec-Fetch-Site` (Fetch Metadata). Any page
 * may send requests to this machine; only pages of this machine, or of origins that the
 * configuration names, are answered. CORS (Fetch standard) is answered here, never by the upstream.
 */
import type { ListenConfig } from '../config/schema.ts';
import { isThisMachine, parseAuthority } from './authority.ts';
import type { ScannedFields } from './field-scan.ts';
import { quoted } from './name-in-message.ts';

/** Most origins whose fields are remembered. */
const MAX_KNOWN = 64;

/** Fields of an answer that a page may read besides the few that it may read anyway. */
const EXPOSED = [
  'Content-Location',
  'Content-Range',
  'ETag',
  'Last-Modified',
  'Link',
  'Location',
  'Proxy-Status',
  'Retry-After',
  'Server-Timing',
  'WWW-Authenticate',
  'X-Progress',
  'X-Request-Id',
].join(', ');

const NONE: readonly string[] = [];
/** A browser asked without `Origin`; an answer to one page must not be reused for another. */
const SAME_ORIGIN: readonly string[] = ['Vary', 'Origin'];

/** The CORS fields for an answer, or the refusal (`origin-refused`, 403). */
export type OriginCheck = (fields: ScannedFields) => readonly string[] | ProxyError;

/** @param listen `allowedOrigins` and `publicUrl` hold origins besides the loopback ones, compared whole */
export function createOriginCheck(
  listen: Pick<ListenConfig, 'allowedOrigins' | 'publicUrl'>,
): OriginCheck {
  const allowed = new Set(listen.allowedOrigins.map((origin) => origin.toLowerCase()));
  if (listen.publicUrl !== undefined) allowed.add(new URL(listen.publicUrl).origin);
  const known = new Map<string, readonly string[]>();

  return (fields) => {
    if (fields.originCount === 0) {
      return fields.fetchSite === '' ? NONE : checkFetchSite(fields);
    }
    if (fields.originCount > 1) {
      return refuse(`the request has ${fields.originCount} "Origin" fields: expected at most one`);
    }
    const { origin } = fields;
    const remembered = known.get(origin);
    if (remembered !== undefined) return remembered;
    const sameOrigin = isSameOrigin(origin, fields.host);
    if (!sameOrigin && !isLoopbackOrigin(origin) && !allowed.has(origin.toLowerCase())) {
      return refuseOrigin(origin);
    }
    const answer = buildCorsFields(origin);
    // "Same" depends on the host asked as well, so it is not remembered by origin alone.
    if (!sameOrigin && known.size < MAX_KNOWN) known.set(origin, answer);
    return answer;
  };
}

/**
 * Without `Origin`, a browser's navigations, images, forms sent with GET and the like, which tell how
 * far their page is, but not which one it is. A site is a registrable domain, whatever the port: of
 * `localhost` or an address it is this machine, of any other name it is every host of that domain,
 * down to a forgotten blog. A navigation is no exception: a GET may start an export, and OpenEMR
 * books every read to this client.
 */
function checkFetchSite({ fetchSite, host }: ScannedFields): readonly string[] | ProxyError {
  if (fetchSite === 'same-origin' || fetchSite === 'none') return SAME_ORIGIN;
  if (fetchSite !== 'same-site') {
    return refuse(`a page of another site made the browser ask, without saying which. ${REMEDY}`);
  }
  const name = parseAuthority(host)?.host ?? '';
  if (isThisMachine(name)) return SAME_ORIGIN;
  return refuse(
    `another host of the site of ${quoted(name)} made the browser ask, without saying which. ${REMEDY}`,
  );
}

const REMEDY =
  'Open the address by hand, or let the page ask with fetch and add its origin to "listen.allowedOrigins"';

/** The page came from the very host that it asks now; the host itself has been checked before. */
function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function isLoopbackOrigin(origin: string): boolean {
  const match = /^https?:\/\/(.+)$/.exec(origin);
  const authority = match === null ? undefined : parseAuthority(match[1] as string);
  return authority !== undefined && isThisMachine(authority.host);
}

function refuseOrigin(origin: string): ProxyError {
  if (origin === 'null') {
    return refuse(
      'origin "null" is not allowed: sandboxed frames, local files and redirected requests all send it, so it says nothing about who asks. Serve the page over HTTP from this machine',
    );
  }
  const name = quoted(origin);
  return refuse(
    `origin ${name} is not allowed: expected a page of this machine or one of "listen.allowedOrigins". To allow it, add ${name} to "listen.allowedOrigins"`,
  );
}

function buildCorsFields(origin: string): readonly string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    EXPOSED,
    'Vary',
    'Origin',
  ];
}

function refuse(message: string): ProxyError {
  return new ProxyError('origin-refused', message, { status: 403 });
}
