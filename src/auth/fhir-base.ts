/** From whatever address of an OpenEMR people have to the FHIR bases that it may mean. */
import { ProxyError } from '../base/errors.ts';
import { parseWebUrl } from '../base/grammar.ts';

/** Site of an OpenEMR that has one; the folder below `sites/`. */
export const DEFAULT_SITE = 'default';

/** What follows the webroot in OpenEMR's own addresses; the site is the first group that matched. */
const OPENEMR_PATH =
  /^(.*?)\/(?:apis(?:\/dispatch\.php)?\/([^/]+)|oauth2(?:\/authorize\.php)?\/([^/]+)|interface|portal|swagger|sites|public)(?:\/.*)?$/;
/** What people add to a FHIR base of any server. */
const KNOWN_ENDINGS = /\/(?:metadata|\.well-known\/.*)$/;

/**
 * FHIR bases to try, the likeliest first: server root, login page, FHIR base, token endpoint or any
 * page of OpenEMR will do. Without a scheme https is tried before http; the webroot is what the
 * address has, else none, else `/openemr`.
 *
 * @param site overrides the site that the address has; default the latter, else `default`
 * @throws ProxyError `address-invalid`
 */
export function guessFhirBases(address: string, site?: string): string[] {
  const text = address.trim();
  const texts = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? [text]
    : [`https://${text}`, `http://${text}`];
  const bases = texts.flatMap((each) => guessFrom(parseAddress(each, address), site));
  return [...new Set(bases)];
}

function parseAddress(text: string, original: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new ProxyError(
      'address-invalid',
      `"${original}" is no address of a server: expected a URL such as "https://localhost:9300"`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ProxyError(
      'address-invalid',
      'the address holds a user name or password: expected none, a client proves itself with its key',
    );
  }
  return url;
}

function guessFrom(url: URL, givenSite: string | undefined): string[] {
  const path = url.pathname.replace(/\/+$/, '');
  const match = OPENEMR_PATH.exec(path);
  const site =
    givenSite ?? match?.[2] ?? match?.[3] ?? (url.searchParams.get('site') || DEFAULT_SITE);
  const fhir = `/apis/${encodeURIComponent(site)}/fhir`;
  if (match !== null) return [`${url.origin}${match[1] ?? ''}${fhir}`];
  const folder = path.replace(/\/[^/]*\.php$/, '').replace(KNOWN_ENDINGS, '');
  return [
    ...(folder === '' ? [] : [`${url.origin}${folder}${fhir}`, `${url.origin}${folder}`]),
    `${url.origin}${fhir}`,
    `${url.origin}/openemr${fhir}`,
  ];
}

/** Page of OpenEMR where its people enable clients, Admin > System > API Clients. */
export function apiClientsPage(root: string): string {
  return `${root}/interface/smart/admin-client.php`;
}

/** Where an OpenEMR stands: its webroot as an absolute URL without a slash at the end, and its site. */
export interface OpenemrPlace {
  root: string;
  site: string;
}

/** The parts of a FHIR base of OpenEMR, or undefined when it has another shape. */
export function parseOpenemrBase(fhirBase: string): OpenemrPlace | undefined {
  return parseOpenemrUrl(fhirBase, ['apis', 'fhir']);
}

/** The parts of OpenEMR's token endpoint, `ROOT/oauth2/SITE/token`, or undefined when it has another shape. */
export function parseOpenemrTokenEndpoint(url: string): OpenemrPlace | undefined {
  return parseOpenemrUrl(url, ['oauth2', 'token']);
}

/** `ROOT/FIRST/SITE/LAST`. By its segments: a pattern would look for the root in quadratic time. */
function parseOpenemrUrl(text: string, [first, last]: readonly [string, string]) {
  if (parseWebUrl(text) === undefined || /[?#]/.test(text)) return undefined;
  const segments = text.split('/');
  const [a, site = '', z] = segments.slice(-3);
  if (a !== first || z !== last || site === '' || segments.length < 6) return undefined;
  let end = segments.length - 3;
  while (end > 3 && segments[end - 1] === '') end -= 1;
  return { root: segments.slice(0, end).join('/'), site };
}
