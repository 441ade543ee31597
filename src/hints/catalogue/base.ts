/** An answer, but none of the FHIR server: the URL leads somewhere else. */
import type { Answer } from '../answer.ts';
import type { Evidence } from '../evidence.ts';
import { isOtherServer, OPENEMR_FHIR_BASE } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';

/** What a server answers to a path that it does not have; every other status says that it knows the path. */
const NO_SUCH_PATH: readonly number[] = [301, 302, 307, 308, 400, 401, 404, 405, 501];
/** The other APIs of OpenEMR. */
const OTHER_API = /\/apis\/[^/]{1,64}\/(?:api|portal)\/?$/;

/** Entries about an answer that comes from the wrong place. */
export const BASE_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'proxy-loop',
    title: 'A route leads back to this proxy',
    cause:
      'The address in "upstream" (or "tokenEndpoint") is answered by the proxy itself: its own port under another name, a forwarded port, or another proxy in between that sends everything back.',
    fix: 'Set "upstream" of the route to the address of OpenEMR, or "listen.port" to another port.',
    versions: 'any server',
    stages: ['token', 'fhir', 'discovery'],
    answers: [{ status: 502, text: /has come back to the proxy that sent it/, proves: 'certain' }],
  },
  {
    id: 'base-path-wrong',
    title: '"upstream" is not a FHIR base of OpenEMR',
    cause:
      'A FHIR base of OpenEMR ends in /apis/<site>/fhir, with the name of a site (usually "default"); this URL does not.',
    fix: 'Set "upstream" of the route to https://<server>/apis/default/fhir; installed below a folder: https://<server>/openemr/apis/default/fhir.',
    versions: 'all',
    stages: ['fhir', 'discovery'],
    companion: true,
    applies: (evidence, answer) => !isOtherServer(evidence, answer),
    circumstances({ fhirBase }: Evidence, { status }: Answer) {
      if (fhirBase === undefined || status === undefined) return undefined;
      if (OPENEMR_FHIR_BASE.test(fhirBase) || !NO_SUCH_PATH.includes(status)) return undefined;
      const says = `"${fhirBase}" does not end in /apis/<site>/fhir, and it answered ${status}`;
      return OTHER_API.test(fhirBase) ? { certainty: 'certain', says } : says;
    },
    specify: ({ evidence: { fhirBase = '' } }) =>
      /\/apis\/fhir\/?$/.test(fhirBase)
        ? {
            cause: 'The site segment is missing between /apis/ and /fhir.',
            fix: `Set "upstream" of the route to "${fhirBase.replace(/\/apis\/fhir\/?$/, '/apis/default/fhir')}".`,
          }
        : OTHER_API.test(fhirBase)
          ? {
              cause: 'It is the base of another API of OpenEMR, whose FHIR API is beside it.',
              fix: `Set "upstream" of the route to "${fhirBase.replace(/\/(?:api|portal)\/?$/, '/fhir')}".`,
            }
          : {},
  },
  {
    id: 'html-instead-of-json',
    title: 'An HTML page came instead of JSON',
    cause:
      'Something else than the API answered: the web interface of OpenEMR, the login page of a gateway, a captive portal.',
    fix: 'Open the URL in "upstream" + /metadata with curl -v and see who answers; the FHIR base ends in /apis/<site>/fhir.',
    versions: 'any server',
    stages: ['token', 'fhir', 'discovery', 'registration'],
    lastResort: true,
    answers: [
      { status: 200, body: 'html', proves: 'certain' },
      { status: [400, 401, 403, 404, 500], body: 'html', proves: 'likely' },
    ],
  },
];
