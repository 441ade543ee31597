/** The token request as HTTP: form, parameters, grant; and the checklists when nothing else is known. */
import { parseWebUrl } from '../../base/grammar.ts';
import { buildChecklist } from '../checklist.ts';
import { bare, wrapped } from './answers.ts';
import { isModern } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';
import { API_CLIENTS } from './places.ts';

const POST_FORM =
  'POST the parameters as application/x-www-form-urlencoded straight to the final https URL of the token endpoint; nothing in the query, no redirect on the way';

/** OpenEMR's own endpoint beside the FHIR base in use; else what is announced, if it is https where the base is. */
function suggestTokenEndpoint(
  fhirBase: string | undefined,
  announced: string | undefined,
): string | undefined {
  const base = fhirBase === undefined ? undefined : parseWebUrl(fhirBase);
  const endpoint = announced === undefined ? undefined : parseWebUrl(announced);
  if (base === undefined || endpoint === undefined) return undefined;
  const site = /\/apis\/([^/]+)\/fhir$/.exec(base.pathname)?.[1];
  if (site !== undefined && endpoint.pathname.endsWith(`/oauth2/${site}/token`)) {
    return `${base.origin}${base.pathname.replace(`/apis/${site}/fhir`, `/oauth2/${site}/token`)}`;
  }
  return base.protocol === 'https:' && endpoint.protocol !== 'https:' ? undefined : endpoint.href;
}

/** Entries about the token request. */
export const TOKEN_REQUEST_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'token-endpoint-elsewhere',
    title: 'The server announces a token endpoint at another address',
    cause:
      'The SMART configuration names a token endpoint with another host or port than "upstream", or with http where "upstream" is https. A document alone does not decide where client assertions go, so nothing was sent there. OpenEMR announces its Site Address, which differs inside Docker networks and behind gateways; other servers may have their authorization server elsewhere.',
    fix: 'If the address is right, add it as "tokenEndpoint" to the route. For OpenEMR, use the address by which this machine reaches it: <server>/oauth2/<site>/token.',
    versions: 'any server',
    stages: ['token', 'discovery'],
    proxyCodes: ['token-endpoint-elsewhere', 'token-endpoint-insecure'],
    specify: ({ evidence: { fhirBase, tokenEndpoint } }) => {
      const setting = suggestTokenEndpoint(fhirBase, tokenEndpoint);
      return setting === undefined
        ? {}
        : {
            fix: `If that is where your server issues tokens, add this to the route: "tokenEndpoint": "${setting}"`,
          };
    },
  },
  {
    id: 'assertion-type-unsupported',
    title: 'client_assertion_type is missing or wrong',
    cause:
      'The client credentials grant of OpenEMR takes a signed assertion and nothing else: client_secret and Basic authentication are never accepted. Since 7.0.4 a missing client_assertion is answered like this too.',
    fix: 'Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer and client_assertion.',
    versions: 'all',
    stages: ['token'],
    answers: [
      {
        status: 400,
        error: 'invalid_request',
        hint: /^assertion type is not supported/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'post-too-large',
    title: 'The request body is larger than PHP accepts',
    cause:
      'PHP throws a body away that exceeds post_max_size, so that OpenEMR sees an empty form; a web server or gateway with a limit of its own answers 413.',
    fix: 'Send less, or raise the limit: post_max_size (and upload_max_filesize) in php.ini of the server, then restart PHP; LimitRequestBody of Apache, client_max_body_size of nginx.',
    versions: 'all',
    stages: ['token', 'fhir', 'registration'],
    log: [/POST Content-Length of \d+ bytes exceeds the limit of (?<limit>\d+) bytes/],
    answers: [
      { status: 413, proves: 'likely' },
      { status: 400, error: 'invalid_request' },
      wrapped([400, 500], /decode request body|\$grantType/),
    ],
  },
  {
    id: 'token-form-missing',
    title: 'OpenEMR saw no form in the token request',
    cause:
      'It found no grant_type: the request was a GET, JSON, had its parameters in the query or an odd Content-Type, or lost its body: in a redirect from http to https, or because it is larger than post_max_size. The message about CSRF in the log is misleading.',
    fix: `${POST_FORM}.`,
    versions: 'all',
    stages: ['token'],
    log: [
      /oauthAuthorizeToken\(\) CSRF check failed/,
      /Cannot assign (?:null|array) to property [\w\\]*::\$grantType of type string/,
      /ExceptionHandlerListener exception Could not decode request body/,
    ],
    answers: [
      { status: 400, error: 'invalid_request', message: /^Bad request$/, proves: 'certain' },
      bare(400),
      wrapped(500, /^Cannot assign \w+ to property .*\$grantType/, 'certain'),
      wrapped(400, /^Could not decode request body/, 'certain'),
    ],
    circumstances: ({ stage, requestMethod }, { status, empty }) =>
      stage === 'token' &&
      status === 400 &&
      empty &&
      requestMethod !== undefined &&
      requestMethod !== 'POST'
        ? `a 400 with an empty body to ${requestMethod}`
        : undefined,
    links: [
      {
        label: 'OpenEMR forum: bad request at the token endpoint',
        url: 'https://community.open-emr.org/t/15805',
      },
    ],
  },
  {
    id: 'grant-type-unsupported',
    title: 'The grant type is not one that OpenEMR knows',
    cause:
      'grant_type has a typing error, or names a grant that is switched off (the password grant is, by default).',
    fix: 'Send grant_type=client_credentials.',
    versions: 'all',
    stages: ['token'],
    answers: [{ status: 400, error: 'unsupported_grant_type', proves: 'certain' }],
  },
  {
    id: 'redirected',
    title: 'The server redirects instead of answering',
    cause:
      'A redirect is never followed here: it would carry token or assertion elsewhere, and a redirected POST loses its form. Typical: http where the server wants https, or another host name than the one it likes.',
    fix: 'Put the URL to which it redirects into the configuration: "upstream", and "tokenEndpoint" if it is set.',
    versions: 'all',
    stages: ['token', 'discovery', 'registration'],
    answers: [{ status: [301, 302, 303, 307, 308], proves: 'certain' }],
  },
  {
    id: 'client-refused',
    title: 'OpenEMR refuses the client (401 invalid_client)',
    cause:
      'Some ten causes share this answer; the true one stands only in the error log of OpenEMR. A 401 means: it failed before the signature was checked, at the client, its keys or the text of the assertion.',
    fix: `Check in this order: client id listed under ${API_CLIENTS}; client enabled there; registered as confidential (application_type "private"); JWK Set {"keys": […]} with an RSA key; jwks_uri reachable from the server. Set "errorLog" of the route to see the true cause.`,
    versions: 'all',
    stages: ['token'],
    lastResort: true,
    answers: [{ status: 401, error: 'invalid_client', proves: 'likely' }],
    specify: ({ evidence }) => buildChecklist(evidence, 'client'),
  },
  {
    id: 'assertion-refused',
    title: 'OpenEMR refuses the assertion (400 invalid_client)',
    cause:
      'Some ten causes share this answer; the true one stands only in the error log of OpenEMR. A 400 means: client and keys were found, but signature or claims were refused.',
    fix: 'Check in this order: "aud" equal to the announced token_endpoint; both clocks; signed with RS384; signing key is the first RSA key of the registered JWK Set; iss = sub = client id; a new jti every time. Set "errorLog" of the route to see the true cause.',
    versions: 'all',
    stages: ['token'],
    lastResort: true,
    answers: [{ status: 400, error: 'invalid_client', proves: 'likely' }],
    specify: ({ evidence }) => buildChecklist(evidence, 'assertion'),
  },
  {
    id: 'oauth-path-unknown',
    title: 'There is no such endpoint below /oauth2',
    cause:
      'The token endpoint is <server>/oauth2/<site>/token; the URL in use names something else below /oauth2.',
    fix: 'Correct "tokenEndpoint" of the route, or remove it so that the discovered one is used.',
    versions: 'all',
    stages: ['token'],
    answers: [bare(404)],
    circumstances: (evidence, answer) =>
      answer.status === 404 &&
      answer.empty &&
      evidence.tokenEndpoint !== undefined &&
      !/\/oauth2\/[^/]+\/token$/.test(evidence.tokenEndpoint)
        ? `404 with an empty body from "${evidence.tokenEndpoint}"`
        : undefined,
  },
  {
    id: 'oauth-api-disabled',
    title: 'The APIs of OpenEMR are switched off',
    cause: 'Without any API switched on, OpenEMR answers 404 at the token endpoint.',
    fix: 'In OpenEMR open Admin > Config > Connectors and switch on "Enable OpenEMR Standard FHIR REST API" and, for system clients, "Enable OpenEMR FHIR System Scopes". In docker: OPENEMR_SETTING_rest_fhir_api=1 and OPENEMR_SETTING_rest_system_scopes_api=1.',
    versions: 'all',
    stages: ['token', 'registration', 'discovery'],
    log: [/api disabled exiting call/, /OpenEMR Error: API is disabled/],
    answers: [bare(404), wrapped(404, /API is disabled/, 'certain')],
    circumstances: (evidence, answer) =>
      evidence.stage === 'token' &&
      answer.status === 404 &&
      answer.empty &&
      isModern(evidence, answer) !== true &&
      (evidence.tokenEndpoint === undefined || evidence.tokenEndpoint.endsWith('/token'))
        ? '404 with an empty body from the token endpoint'
        : undefined,
  },
];
