/** Where a FHIR base may be when it is not where the configuration says. */
import { DEFAULT_SITE } from '../auth/fhir-base.ts';

/** Most places that are tried. */
const MOST_CANDIDATES = 8;
/** Folder of installations from a package. */
const PACKAGE_ROOT = '/openemr';

/**
 * Likely FHIR bases near a wrong one, the likeliest first: the site segment added, corrected or
 * lower-cased; with and without the folder that OpenEMR is installed in; without what follows the
 * base; with the other scheme.
 */
export function listBaseCandidates(base: URL): string[] {
  const path = base.pathname.replace(/\/+$/, '');
  const { root, site } = splitPath(path);
  const roots = [...new Set([root, '', PACKAGE_ROOT])];
  const sites = [...new Set([site, site.toLowerCase(), DEFAULT_SITE])];
  const [cut] = /^.*\/fhir(?=\/)/.exec(path) ?? [];
  const paths = [
    ...(cut === undefined ? [] : [cut]),
    ...roots.flatMap((each) => sites.map((name) => `${each}/apis/${name}/fhir`)),
    `${path}/fhir`,
    '/fhir',
  ];
  const here = paths.map((each) => base.origin + each);
  const otherScheme = base.protocol === 'http:' ? 'https:' : 'http:';
  const all = [base.href.replace(base.protocol, otherScheme), ...here].map((url) =>
    url.replace(/\/+$/, ''),
  );
  return [...new Set(all)]
    .filter((url) => url !== base.href.replace(/\/+$/, ''))
    .slice(0, MOST_CANDIDATES);
}

/** The folder that OpenEMR is installed in, and the site, as far as a path tells them. */
function splitPath(path: string): { root: string; site: string } {
  const [, root = '', rest = ''] = /^(.*?)\/(?:apis|oauth2)(?:\/(.*))?$/i.exec(path) ?? [];
  if (root === '' && rest === '' && !/\/(?:apis|oauth2)$/i.test(path)) {
    const folder = path.replace(/\/(?:fhir|api|metadata)(?:\/.*)?$/i, '');
    return { root: folder, site: DEFAULT_SITE };
  }
  const [first = ''] = rest.split('/');
  const isSite = /^[A-Za-z0-9.-]+$/.test(first) && !/^(?:fhir|api|portal)$/i.test(first);
  return { root, site: isSite ? first : DEFAULT_SITE };
}
