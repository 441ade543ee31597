/** Where the FHIR request goes: site, path, method. */
import { RESOURCE_TYPES } from '../../fhir/resource-types.ts';
import type { Evidence } from '../evidence.ts';
import { nearestResourceType } from '../resource-type.ts';
import { bare, wrapped } from './answers.ts';
import { FAILED_OTHER_SITE } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';
import { CONNECTORS, openemrIssue } from './places.ts';

const REWRITE_COMMAND = /^[._ ]*_?rewrite[._ [(]command/i;

/** Entries about where the request goes. */
export const ROUTE_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'fhir-site-error',
    title: 'The site segment of the FHIR URL is missing or wrong',
    cause:
      'OpenEMR serves several sites, and the URL names one: /apis/<site>/fhir. It is the name of a folder below sites/ (usually "default"), capitals count, and it must be the site that issued the token.',
    fix: 'Correct "upstream" of the route: https://<server>/apis/default/fhir, or the exact name of the folder instead of "default".',
    versions: 'all',
    stages: ['fhir', 'discovery'],
    log: [
      /OpenEMR Error - api site error, so forced exit(?! siteId: [^,]*, pathInfo: \S*\/(?:token|registration|introspect|jwk)\b)/,
      FAILED_OTHER_SITE,
      /Failed opening required '[^']*sites\/(?<site>[^'/]*)\/sqlconf\.php'(?!.*oauth2\/authorize\.php)/s,
    ],
    answers: [
      bare([400, 500]),
      { status: 401, error: 'invalid_token', proves: 'likely' },
      wrapped(400, /api site error, so forced exit/, 'certain'),
    ],
    specify: ({ match }) =>
      match?.groups?.['site'] === undefined
        ? {}
        : {
            cause: `OpenEMR has no usable site "${match.groups['site']}": the segment after /apis/ is misspelt, or that site has no keys. It is the name of a folder below sites/ (usually "default"), capitals count, and it must be the site that issued the token.`,
          },
    circumstances: ({ stage }, { status, empty }) =>
      stage === 'fhir' && status === 400 && empty ? 'a 400 with an empty body' : undefined,
    links: [openemrIssue(8179, 'OpenEMR issue 8179: 400 without the site segment')],
  },
  {
    id: 'fhir-api-off',
    title: 'The FHIR API is switched off',
    cause: 'OpenEMR answers 501 to everything below /fhir while its FHIR API is switched off.',
    fix: `In OpenEMR open ${CONNECTORS} and switch on "Enable OpenEMR Standard FHIR REST API" (in docker: OPENEMR_SETTING_rest_fhir_api=1).`,
    versions: '7.0.3 and older',
    stages: ['fhir', 'discovery'],
    log: [/dispatch\.php attempted to access resource with FHIR api turned off/],
    answers: [bare(501)],
    circumstances: ({ stage, interaction }, { status, empty }) =>
      (stage === 'fhir' || stage === 'discovery') &&
      status === 501 &&
      empty &&
      interaction?.operation !== '$export' &&
      interaction?.name !== 'batch'
        ? 'a 501 with an empty body'
        : undefined,
  },
  {
    id: 'fhir-route-unknown',
    title: 'OpenEMR has no such resource or interaction',
    cause:
      'No route fits method and path. OpenEMR has no HEAD, OPTIONS, DELETE, history or batch, answers no path with a slash at the end, and resource types are case-sensitive.',
    fix: 'Compare the request with <FHIR base>/metadata, which lists what this server offers.',
    versions: 'all',
    stages: ['fhir', 'discovery'],
    log: [
      /dispatch\.php no route found for resource/,
      /HttpRestRouteHandler->dispatch\(\) Route not found/,
      /ExceptionHandlerListener exception Route not found/,
      /dispatch\.php invalid access to resource/,
    ],
    answers: [bare([404, 501]), wrapped(404, /^Route not found$/, 'certain')],
    circumstances({ stage, interaction, requestMethod }, { status, empty }) {
      if ((stage !== 'fhir' && stage !== 'discovery') || !empty) return undefined;
      if (status === 501 && interaction?.name === 'batch') {
        return 'a 501 with an empty body to a batch or transaction';
      }
      return status === 404 && (interaction?.resourceType !== 'Binary' || requestMethod === 'HEAD')
        ? 'a 404 with an empty body'
        : undefined;
    },
    specify({ evidence }) {
      const { requestMethod, requestPath = '' } = evidence;
      if (requestMethod === 'HEAD' || requestMethod === 'OPTIONS') {
        return { cause: `OpenEMR answers ${requestMethod} with 404, whatever the path; use GET.` };
      }
      const meant = meantType(evidence);
      if (meant !== undefined) {
        return {
          cause: `The path begins with a name that is no resource type of FHIR; did you mean "${meant}"? Resource types are case-sensitive.`,
          fix: `Ask for "/${meant}" below the FHIR base.`,
        };
      }
      return /.\/$/.test(requestPath)
        ? {
            cause:
              'The path ends with a slash; OpenEMR has no route for such a path. Leave the slash out.',
          }
        : {};
    },
  },
  {
    id: 'encoded-slash',
    title: 'Apache refuses an encoded slash in the path',
    cause:
      'A path with %2F (or %00) never reaches OpenEMR: Apache answers 404 itself unless AllowEncodedSlashes is on.',
    fix: 'Write a real slash between resource type and id.',
    versions: 'all',
    stages: ['fhir'],
    applies: ({ requestPath = '' }) => /%(?:2f|5c|00)/i.test(requestPath),
    answers: [
      { status: 404, body: 'html', text: /The requested URL .*was not found/s, proves: 'certain' },
    ],
  },
  {
    id: 'fhir-rewrite-command',
    title: 'A parameter of the request overrides its path',
    cause:
      'OpenEMR takes a parameter named _REWRITE_COMMAND (also with a dot, a space or a bracket for the underscore) for the path, so another resource was asked than the URL says.',
    fix: 'Leave that parameter out; this proxy refuses it.',
    versions: 'all',
    stages: ['fhir', 'discovery', 'token'],
    companion: true,
    circumstances: ({ parameterNames = [] }) =>
      parameterNames.some((name) => REWRITE_COMMAND.test(name))
        ? 'the request has a parameter named like _REWRITE_COMMAND'
        : undefined,
  },
  {
    id: 'fhir-method-override',
    title: 'The request asks for another method by a header field',
    cause: 'OpenEMR 8 obeys X-HTTP-Method-Override on POST, and this one named no method.',
    fix: 'Do not send X-HTTP-Method-Override; this proxy removes it from what passes through it.',
    versions: '8.0 and later',
    stages: ['fhir', 'token'],
    log: [/ExceptionHandlerListener exception Invalid method override/],
    answers: [wrapped(400, /^Invalid method override/, 'certain')],
  },
];

/** The resource type that the first segment of the path stands for, when that is almost one. */
function meantType({ requestPath = '', fhirBase }: Evidence): string | undefined {
  const base = fhirBase === undefined ? undefined : new URL(fhirBase).pathname.replace(/\/+$/, '');
  const below =
    base !== undefined && requestPath.startsWith(`${base}/`)
      ? requestPath.slice(base.length)
      : /\/fhir(\/.*)$/s.exec(requestPath)?.[1];
  const [, first = ''] = below?.split(/[/?]/, 2) ?? [];
  const isName = /^[A-Za-z]{3,64}$/.test(first) && !RESOURCE_TYPES.includes(first);
  return isName ? nearestResourceType(first, RESOURCE_TYPES) : undefined;
}
