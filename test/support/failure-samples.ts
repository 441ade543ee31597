/**
 * Failures of versions that were not recorded (6.1 to 7.0.2, 8.0.1 and 8.2) and of connections: the
 * bodies and log lines that OpenEMR's sources write, and the codes of Node and undici.
 */
import { parseInteraction } from '../../src/fhir/interaction.ts';
import { parseLogLines } from '../../src/hints/error-log/reader.ts';
import type { Evidence } from '../../src/hints/evidence.ts';

/** One failure. */
export interface FailureSample {
  what: string;
  id: string;
  certainty: 'certain' | 'likely';
  evidence: Evidence;
}

const INVALID_CLIENT =
  '{"error":"invalid_client","error_description":"Client authentication failed","message":"Client authentication failed"}';
const MALFORMED =
  'The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.';
const UNEXPECTED =
  'The authorization server encountered an unexpected condition which prevented it from fulfilling the request: ';

const serverError = (text: string): string =>
  JSON.stringify({
    error: 'server_error',
    error_description: UNEXPECTED + text,
    message: UNEXPECTED + text,
  });
/** 7.0.4 and later wrap everything but token errors. */
const wrapped = (message: string, code = 0): string =>
  JSON.stringify({ error: 'An error occurred', message, code }).replaceAll('/', String.raw`\/`);
const denied = (hint: string): string =>
  JSON.stringify({
    error: 'access_denied',
    error_description: 'The resource owner or authorization server denied the request.',
    hint,
    message: 'The resource owner or authorization server denied the request.',
  });
const metadataRefused = (text: string): string =>
  JSON.stringify({ error: 'invalid_client_metadata', error_description: text, message: text });
const outcome = (text: string): string =>
  JSON.stringify({
    id: 'x',
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'processing', details: { text } }],
  });

/** A Monolog line as mod_php of the official images writes it, which doubles backslashes. */
const modPhp = (message: string, level = 'ERROR'): string =>
  `[Wed Mar 26 14:33:18.869462 2025] [php:notice] [pid 1064] [client 172.18.0.1:41000] [2025-03-26T14:33:18.869000+00:00] OpenEMR.${level}: ${message.replaceAll('\\', String.raw`\\`)}`;
/** 8.2 writes no time of its own, and real line feeds, into PHP's log. */
const php82 = (message: string): string => `[26-Mar-2026 14:33:18 UTC] OpenEMR.ERROR: ${message}`;
const fatal = (message: string): string =>
  `[26-Mar-2025 14:33:18 UTC] PHP Fatal error:  Uncaught ${message} in /var/www/localhost/htdocs/openemr/src/X.php:243\nStack trace:\n#0 {main}\n  thrown in /var/www/localhost/htdocs/openemr/src/X.php on line 243`;

function sample(
  id: string,
  what: string,
  evidence: Omit<Evidence, 'logEntries'> & { log?: string },
  certainty: 'certain' | 'likely' = 'certain',
): FailureSample {
  const { log, ...rest } = evidence;
  return {
    what,
    id,
    certainty,
    evidence: {
      ...rest,
      logEntries: log === undefined ? [] : parseLogLines(log),
      logFollowed: log !== undefined,
    },
  };
}

const search = parseInteraction('GET', 'Patient');
const kickOff = parseInteraction('GET', 'Patient/$export');
const file = parseInteraction('GET', 'Binary/3');

/** Failures at the token endpoint. */
const TOKEN: readonly FailureSample[] = [
  sample(
    'client-public',
    'public client, nothing logged',
    {
      stage: 'token',
      status: 401,
      body: INVALID_CLIENT,
      log: '',
    },
    'likely',
  ),
  sample(
    'redirect-uri-sent',
    'redirect_uri in the form',
    {
      stage: 'token',
      status: 401,
      body: INVALID_CLIENT,
      parameterNames: ['grant_type', 'redirect_uri'],
      log: '',
    },
    'likely',
  ),
  sample('client-disabled', '6.1, disabled client', {
    stage: 'token',
    status: 401,
    body: INVALID_CLIENT,
    log: modPhp(
      'CustomClientCredentialsGrant->validateClient() client returned was not enabled {"client":"abc"} []',
    ),
  }),
  sample('client-unknown', '6.1, unknown client', {
    stage: 'token',
    status: 401,
    body: INVALID_CLIENT,
    log: modPhp(
      'ClientRepository->getClientEntity() no client found for identifier  {"client":"abc"} []',
    ),
  }),
  sample('jwks-bad-modulus', '7.0.2, n is no number', {
    stage: 'token',
    status: 500,
    body: 'Unable to read key',
    contentType: 'text/html; charset=UTF-8',
    log: modPhp(
      'AuthorizationController->oauthAuthorizeToken() Exception occurred {"message":"Unable to read key","trace":"#0 a"} []',
    ),
  }),
  sample('jwks-bad-modulus', '8.0.1, n is no base64url', {
    stage: 'token',
    status: 500,
    body: 'Base64::decode() only expects characters in the correct base64 alphabet',
  }),
  sample('jwks-not-json', '8.0.1, 500 as text', {
    stage: 'token',
    status: 500,
    body: 'property_exists(): Argument #1 ($object_or_class) must be of type object|string, null given',
  }),
  sample('jwks-not-json', '7.0.0, 500 with an empty body', {
    stage: 'token',
    status: 500,
    body: '',
    log: fatal(
      'TypeError: property_exists(): Argument #1 ($object_or_class) must be of type object|string, array given',
    ),
  }),
  sample('jwks-phpseclib-missing', '7.0.1, broken vendor folder', {
    stage: 'token',
    status: 401,
    body: INVALID_CLIENT,
    log: modPhp(
      'CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client {"client":"abc","exceptionMessage":"Crypt_RSA support unavailable."} []',
    ),
  }),
  sample('jwks-key-unusable', '8.2, no RSA key', {
    stage: 'token',
    status: 401,
    body: INVALID_CLIENT,
    log: php82(
      'Failed to retrieve or validate JWK for client {"client_id":"abc","exception":"Malformed key object"} []',
    ),
  }),
  sample('assertion-expired', '8.2, real line feed in the context', {
    stage: 'token',
    status: 400,
    body: INVALID_CLIENT,
    log: php82(
      'JWT failed validation constraints {"client_id":"abc","exception":"The token violates some mandatory constraints, details:\n- The token is expired","expected_audience":"https://x/oauth2/default/token"} []',
    ),
  }),
  sample('assertion-aud-mismatch', '8.2, real line feed in the context', {
    stage: 'token',
    status: 400,
    body: INVALID_CLIENT,
    log: php82(
      'JWT failed validation constraints {"client_id":"abc","exception":"The token violates some mandatory constraints, details:\n- The token is not allowed to be used by this audience","expected_audience":"https://x/oauth2/default/token"} []',
    ),
  }),
  sample('assertion-zend-assert', '7.0.1 with zend.assertions=1', {
    stage: 'token',
    status: 500,
    body: '',
    log: fatal('AssertionError: assert($token instanceof Plain)'),
  }),
  sample('assertion-missing', '7.0.0, no client_assertion', {
    stage: 'token',
    status: 500,
    body: '',
    log: fatal(
      String.raw`TypeError: Lcobucci\JWT\Token\Parser::parse(): Argument #1 ($jwt) must be of type string, null given, called`,
    ),
  }),
  sample('assertion-sub-missing', '8.2, no sub', {
    stage: 'token',
    status: 401,
    body: INVALID_CLIENT,
    log: php82('JWT assertion missing required sub claim [] []'),
  }),
  sample('assertion-type-unsupported', '6.1, client_secret', {
    stage: 'token',
    status: 400,
    body: JSON.stringify({
      error: 'invalid_request',
      error_description: MALFORMED,
      hint: 'assertion type is not supported',
      message: MALFORMED,
    }),
  }),
  sample('redirected', 'http redirects to https', { stage: 'token', status: 301, body: '' }),
  sample(
    'post-too-large',
    'nginx refuses the body',
    {
      stage: 'fhir',
      status: 413,
      body: '<html><h1>413 Request Entity Too Large</h1></html>',
    },
    'likely',
  ),
  sample('backend-crashed', 'a PHP process that crashed', {
    stage: 'fhir',
    status: 503,
    body: '<html><h1>Service Unavailable</h1></html>',
    log: '[Mon Nov 23 18:39:42.314006 2026] [proxy_fcgi:error] [pid 8670:tid 8670] (104)Connection reset by peer: [client 127.0.0.1:39506] AH01075: Error dispatching request to :9300: (polling)',
  }),
  sample('scope-not-granted', 'fewer scopes than asked for', {
    stage: 'token',
    status: 200,
    body: '{"scope":"system/A.read","token_type":"Bearer"}',
    requestedScopes: ['system/A.read', 'system/B.read'],
    grantedScopes: ['system/A.read'],
  }),
  sample('scope-invalid', '6.1, system scopes off', {
    stage: 'token',
    status: 400,
    body: '{"error":"invalid_scope","error_description":"The requested scope is invalid, unknown, or malformed","hint":"Check the `system/Patient.read` scope","message":"x"}',
  }),
  sample('jti-save-failed', '6.1, table missing', {
    stage: 'token',
    status: 500,
    body: serverError('Server error occurred in parsing JWT'),
    log: modPhp(
      'CustomClientCredentialsGrant->x() Failed to save jti to database Exception: Table missing [] []',
    ),
  }),
  sample('jti-save-failed', '8.2, table missing', {
    stage: 'token',
    status: 500,
    body: serverError('Server error occurred while processing JWT'),
    log: php82('Failed to save JWT history {"exception":"no table"} []'),
  }),
  sample('oauth-keys-broken', '7.0.2, keys do not decrypt', {
    stage: 'token',
    status: 500,
    body: serverError('Security error - problem with authorization server keys.'),
    log: 'OpenEMR error - oauth2 key was not able to be decrypted, so forced exit',
  }),
  sample('oauth-key-perms-notice', 'display_errors on', {
    stage: 'token',
    status: 200,
    body: '<br />\n<b>Notice</b>:  Key file "file:///srv/oaprivate.key" permissions are not correct, recommend changing to 600 or 660 instead of 700 in <b>x</b> on line 1<br />\n{"scope":"system/A.read","token_type":"Bearer"}',
    contentType: 'text/html',
  }),
  sample('token-exception', '7.0.2, any other exception', {
    stage: 'token',
    status: 500,
    body: 'Something odd',
    log: modPhp(
      'AuthorizationController->oauthAuthorizeToken() Exception occurred {"message":"Something odd"} []',
    ),
  }),
  sample('system-user-missing', '6.1, no oe-system', {
    stage: 'token',
    status: 500,
    body: serverError('Server was not properly setup'),
  }),
  sample(
    'jwks-uri-slow',
    'no answer to the token request',
    {
      stage: 'token',
      nodeCode: 'UND_ERR_HEADERS_TIMEOUT',
    },
    'likely',
  ),
];

/** Failures at registration. */
const REGISTRATION: readonly FailureSample[] = [
  sample('reg-jwks-required', 'no jwks', {
    stage: 'registration',
    status: 400,
    body: metadataRefused('jwks is invalid'),
  }),
  sample('reg-client-uri-403', 'registration_client_uri asked', {
    stage: 'registration',
    status: 403,
    body: '{"error":"invalid_request","message":"Invalid registration token"}',
  }),
  sample('reg-jwks-not-object', '8.2, contacts as a string', {
    stage: 'registration',
    status: 400,
    body: wrapped('Unexpected value for parameter "contacts": expecting "array", got "string".'),
  }),
  sample('scope-empty-string', 'double space', {
    stage: 'registration',
    status: 400,
    body: '{"error":"invalid_scope","hint":"Specify a scope in the request or set a default scope","message":"x"}',
  }),
];

/** Failures of the FHIR API. */
const FHIR: readonly FailureSample[] = [
  sample('fhir-no-auth-header', '7.0.2, no .htaccess', {
    stage: 'fhir',
    status: 401,
    body: denied('Missing "Authorization" header'),
  }),
  sample('fhir-token-revoked', '6.1, revoked', {
    stage: 'fhir',
    status: 401,
    body: denied('Access token has been revoked'),
    log: modPhp('dispatch.php access token was revoked [] []'),
  }),
  sample('fhir-patient-scope', '7.0.2, patient scope', {
    stage: 'fhir',
    status: 401,
    body: '',
    log: modPhp(
      'RestConfig->checkSecurity() - exited since patient binding mechanism broken [] []',
    ),
  }),
  sample('fhir-patient-scope', '8.2, patient scope', {
    stage: 'fhir',
    status: 401,
    body: wrapped('Unauthorized'),
    log: php82('x exception {"exception":"Patient UUID is required for patient requests."} []'),
  }),
  sample('fhir-trusted-user-gone', '7.0.2, trusted user revoked', {
    stage: 'fhir',
    status: 400,
    body: '{"error":"invalid _request","error_description":"Refresh Token revoked or logged out","message":"x"}',
  }),
  sample('fhir-trusted-user-gone', '8.2, trusted user revoked', {
    stage: 'fhir',
    status: 400,
    body: wrapped('Refresh Token revoked or logged out'),
  }),
  sample('fhir-acl-denied', '8.2, oe-system out of its group', {
    stage: 'fhir',
    status: 403,
    body: wrapped('Organization policy does not have permit access resource'),
  }),
  sample(
    'fhir-acl-denied',
    '7.0.2, young token with the scope',
    {
      stage: 'fhir',
      status: 401,
      body: '',
      interaction: search,
      grantedScopes: ['system/Patient.read'],
      tokenAgeMs: 5000,
      tokenLifetimeMs: 300_000,
      log: '',
    },
    'likely',
  ),
  sample(
    'fhir-scope-missing',
    '7.0.2, scope known to be missing',
    {
      stage: 'fhir',
      status: 401,
      body: '',
      interaction: search,
      grantedScopes: ['system/Observation.read'],
      tokenAgeMs: 5000,
      tokenLifetimeMs: 300_000,
    },
    'likely',
  ),
  sample(
    'fhir-token-unknown',
    '7.0.2, token in its last second',
    {
      stage: 'fhir',
      status: 401,
      body: '',
      interaction: search,
      grantedScopes: ['system/Patient.read'],
      tokenAgeMs: 299_500,
      tokenLifetimeMs: 300_000,
    },
    'likely',
  ),
  sample('fhir-public-key-missing', '7.0.2, no public key', {
    stage: 'fhir',
    status: 500,
    body: '',
    log: fatal(
      'LogicException: Key path "file:///srv/oapublic.key" does not exist or is not readable',
    ),
  }),
  sample('fhir-public-key-missing', '8.2, no public key', {
    stage: 'fhir',
    status: 500,
    body: wrapped('Server Error'),
  }),
  sample('fhir-json-encode', '7.0.2, invalid UTF-8', {
    stage: 'fhir',
    status: 500,
    body: '',
    log: modPhp('RestConfig->x() failed to encode JSON object {"e":"Malformed UTF-8"} []'),
  }),
  sample('fhir-cookie-conflict', '8.0.0, session cookies', {
    stage: 'fhir',
    status: 500,
    body: wrapped('Failed to start the session: already started by PHP ($_SESSION is set).'),
  }),
  sample('fhir-csrf-header', '8.2, wrong csrf token', {
    stage: 'fhir',
    status: 401,
    body: wrapped('OpenEMR Error: internal api failed because csrf token did not match'),
  }),
  sample('fhir-handler-exception', '6.1, the error handler dies', {
    stage: 'fhir',
    status: 500,
    body: '',
    log: fatal(
      String.raw`Error: Call to undefined method OpenEMR\Common\Http\HttpRestRouteHandler::getRequiredSection()`,
    ),
  }),
  sample('fhir-handler-exception', '8.2, wrapped', {
    stage: 'fhir',
    status: 500,
    body: wrapped('System error occurred'),
  }),
  sample('fhir-site-error', '8.2, wrong site', {
    stage: 'fhir',
    status: 400,
    body: wrapped(
      'OpenEMR Error: api site error, so forced exit.  Please ensure that the site is set up correctly in the OpenEMR configuration.',
    ),
  }),
  sample(
    'fhir-rewrite-command',
    'a query that overrides the path',
    {
      stage: 'fhir',
      status: 200,
      body: '{"resourceType":"Bundle","total":3}',
      parameterNames: ['_REWRITE.COMMAND'],
    },
    'likely',
  ),
  sample(
    'scope-granular-empty',
    '8.2, only laboratory granted',
    {
      stage: 'fhir',
      status: 200,
      body: '{"resourceType":"Bundle","total":0}',
      interaction: parseInteraction('GET', 'Observation'),
      grantedScopes: ['system/Observation.rs?category=laboratory'],
    },
    'likely',
  ),
  sample(
    'fhir-search-param',
    '_format without a log',
    {
      stage: 'fhir',
      status: 200,
      body: '{"resourceType":"Bundle","total":0}',
      interaction: search,
      parameterNames: ['_format'],
    },
    'likely',
  ),
  sample(
    'bulk-disabled',
    'system scopes off',
    {
      stage: 'fhir',
      status: 501,
      body: '',
      interaction: kickOff,
    },
    'likely',
  ),
  sample('bulk-no-resource-scope', '7.0.2, scope of a type', {
    stage: 'fhir',
    status: 400,
    body: outcome('AccessToken does not grant access to resource Patient'),
    interaction: kickOff,
  }),
  sample('bulk-no-resource-scope', '8.2, no scope at all', {
    stage: 'fhir',
    status: 401,
    body: outcome('AccessToken does grant access to any supported system resources'),
    interaction: kickOff,
  }),
  sample('bulk-server-error', '7.0.2, exporter fails', {
    stage: 'fhir',
    status: 500,
    body: outcome('An internal server error occurred'),
    interaction: kickOff,
    log: modPhp(
      'FhirExportRestController->processExport() failed to process job {"job":"1","exception":"bad date"} []',
    ),
  }),
  sample('bulk-timeout', 'two minutes', {
    stage: 'fhir',
    status: 200,
    body: '{"transactionTime":{},"output":[],"error":[{"type":"OperationOutcome"}]}',
    log: modPhp('FhirExportRestController->x() Export reached maximum execution time [] []'),
  }),
  sample(
    'bulk-file-gone',
    'file after an hour',
    {
      stage: 'fhir',
      status: 404,
      body: '',
      interaction: file,
      requestMethod: 'GET',
    },
    'likely',
  ),
  sample('apache-limits', 'long query', {
    stage: 'fhir',
    status: 414,
    body: '<!DOCTYPE HTML><title>414 Request-URI Too Long</title>',
  }),
];

const network = (id: string, ...codes: string[]): FailureSample[] =>
  codes.map((nodeCode) => sample(id, nodeCode, { stage: 'fhir', nodeCode }));

/** Failures of the connection. */
const CONNECTION: readonly FailureSample[] = [
  ...network('connection-refused', 'ECONNREFUSED'),
  ...network('dns-failed', 'ENOTFOUND', 'EAI_AGAIN'),
  ...network('host-unreachable', 'EHOSTUNREACH', 'ENETUNREACH'),
  ...network('connect-timeout', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'),
  ...network('answer-timeout', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'),
  ...network('connection-reset', 'ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'),
  ...network(
    'not-http',
    'HPE_INVALID_CONSTANT',
    'HPE_INVALID_VERSION',
    'HPE_STRICT',
    'HTTPParserError',
  ),
  ...network('interim-answer-unasked', 'HPE_UNASKED_INTERIM'),
  ...network('answer-incomplete', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
  ...network(
    'upstream-tls',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ),
  ...network('tls-expired', 'CERT_HAS_EXPIRED'),
  ...network('tls-wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'),
  ...network('answer-head-too-long', 'UND_ERR_HEADERS_OVERFLOW'),
  ...network('tls-on-http-port', 'ERR_SSL_WRONG_VERSION_NUMBER'),
  ...network(
    'tls-handshake-failed',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_SSL_NO_CIPHER_MATCH',
  ),
  sample('token-endpoint-elsewhere', 'the proxy asked nobody', {
    stage: 'token',
    proxyCode: 'token-endpoint-elsewhere',
    fhirBase: 'https://openemr.example/apis/default/fhir',
    tokenEndpoint: 'https://localhost:9300/oauth2/default/token',
  }),
  sample('http-on-tls-port', 'Apache says so', {
    stage: 'fhir',
    status: 400,
    body: "<!DOCTYPE HTML><p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n</p>",
  }),
  sample('proxy-loop', 'the proxy itself says so', {
    stage: 'discovery',
    status: 502,
    body: '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient","diagnostics":"the request has come back to the proxy that sent it: …"}]}',
    contentType: 'application/fhir+json; charset=utf-8',
  }),
  sample(
    'base-path-wrong',
    'the site segment is missing',
    {
      stage: 'discovery',
      status: 404,
      body: 'gone',
      fhirBase: 'https://x.example/apis/fhir',
    },
    'likely',
  ),
  sample(
    'base-path-wrong',
    'the web root of OpenEMR',
    {
      stage: 'fhir',
      status: 404,
      body: 'gone',
      fhirBase: 'https://x.example/openemr',
    },
    'likely',
  ),
  sample('html-instead-of-json', 'a login page', {
    stage: 'discovery',
    status: 200,
    body: '<!doctype html><title>Sign in</title>',
    contentType: 'text/html',
  }),
];

/** All samples. */
export const FAILURE_SAMPLES: readonly FailureSample[] = [
  ...TOKEN,
  ...REGISTRATION,
  ...FHIR,
  ...CONNECTION,
];
