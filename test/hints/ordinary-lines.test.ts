/** What stands in an error log every day must not be taken for a failure of the API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLogExplainer } from '../../src/hints/explain-log.ts';

const AT = '[Mon Nov 23 18:27:32.251636 2026]';
const FPM = `${AT} [proxy_fcgi:error] [pid 8670:tid 8670] [client 127.0.0.1:38148] AH01071: Got error '`;
const MONOLOG = '[2026-11-23T18:27:32.251183+00:00] ';
const HTDOCS = '/var/www/localhost/htdocs/openemr';

const ORDINARY = [
  // PHP, as it grumbles in every request.
  `${FPM}PHP message: PHP Warning:  Undefined array key "version" in ${HTDOCS}/src/RestControllers/FHIR/FhirMetaDataRestController.php on line 84'`,
  `${FPM}PHP message: PHP Warning:  Undefined variable $fhirUser in ${HTDOCS}/src/Common/Auth/OpenIDConnect/Entities/UserEntity.php on line 88'`,
  `${FPM}PHP message: PHP Warning:  Undefined global variable $lastidado in ${HTDOCS}/library/sql.inc.php on line 205'`,
  `${FPM}PHP message: PHP Warning:  Undefined array key "contacts" in ${HTDOCS}/src/Common/Auth/OpenIDConnect/Repositories/ClientRepository.php on line 62'`,
  `${FPM}PHP message: PHP Deprecated:  Creation of dynamic property Smarty_Legacy::$x is deprecated in ${HTDOCS}/vendor/smarty/smarty/libs/Smarty.class.php on line 31'`,
  `${FPM}PHP message: PHP Deprecated:  strlen(): Passing null to parameter #1 ($string) of type string is deprecated in ${HTDOCS}/library/formdata.inc.php on line 12'`,
  `${FPM}PHP message: PHP Notice:  session_start(): Ignoring session_start() because a session is already active in ${HTDOCS}/interface/globals.php on line 71'`,
  `${FPM}PHP message: PHP Warning:  Trying to access array offset on value of type null in ${HTDOCS}/src/RestControllers/AuthorizationController.php on line 1185'`,
  `[23-Nov-2026 18:27:27 UTC] PHP Warning:  filemtime(): stat failed for ${HTDOCS}/sites/default/x.txt in ${HTDOCS}/library/x.php on line 9`,
  `[23-Nov-2026 18:27:27 UTC] PHP Notice:  Undefined index: token in ${HTDOCS}/portal/index.php on line 40`,
  // Fatal errors of pages that are not the API.
  `[23-Nov-2026 18:27:27 UTC] PHP Fatal error:  Uncaught Error: Call to undefined function acl_check() in ${HTDOCS}/interface/main/calendar/index.php:12`,
  `[23-Nov-2026 18:27:27 UTC] PHP Fatal error:  Maximum execution time of 60 seconds exceeded in ${HTDOCS}/interface/reports/collections_report.php on line 55`,
  // OpenEMR on other channels and at other levels.
  `${MONOLOG}OpenEMR.INFO: Scheduled task ran {"task":"phimail"} []`,
  `${MONOLOG}OpenEMR.DEBUG: oauth2 request received {"endpoint":"/default/token"} []`,
  `${MONOLOG}OpenEMR.DEBUG: AuthorizationController->oauthAuthorizeToken() starting request [] []`,
  `${MONOLOG}OpenEMR.DEBUG: ClientRepository->getClientEntity() client found {"client":{"client_name":"main","redirect_uri":"https://client.example/cb","is_confidential":"1"}} []`,
  `${MONOLOG}OpenEMR.DEBUG: ScopeRepository->getScopeEntityByIdentifier() scope requested exists in system {"identifier":"system/Patient.read"} []`,
  `${MONOLOG}OpenEMR.DEBUG: HttpRestRouteHandler::dispatch() start request {"resource":"","method":"GET","user":"","role":"system","client":"abc","apiType":"fhir","route":"/fhir/Medication","queryParams":[]} []`,
  `${MONOLOG}OpenEMR.DEBUG: dispatch.php valid role and system has access to api/fhir resource {"resource":"/fhir/Medication"} []`,
  `${MONOLOG}OpenEMR.DEBUG: SiteSetupListener::onKernelRequest site setup complete {"siteId":"","webroot":"","isOauth2Request":"1"} []`,
  `${MONOLOG}OpenEMR.WARNING: EtherFax is not configured [] []`,
  `${MONOLOG}OpenEMR.ERROR: Failed to send reminder mail {"message":"SMTP connect() failed"} []`,
  `${MONOLOG}OpenEMR.ERROR: Telehealth module token expired for appointment {"id":"3"} []`,
  `${MONOLOG}OpenEMR.ERROR: client failed validation of insurance company form [] []`,
  `${MONOLOG}security.ERROR: Login failed, user is not active [] []`,
  `${MONOLOG}app.CRITICAL: Uncaught exception in module loader [] []`,
  // Apache.
  `${AT} [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.62 (Unix) OpenSSL/3.3.2 configured -- resuming normal operations`,
  `${AT} [core:notice] [pid 1:tid 1] AH00094: Command line: '/usr/sbin/httpd -D FOREGROUND'`,
  `${AT} [ssl:warn] [pid 1:tid 1] AH01909: localhost:443:0 server certificate does NOT include an ID which matches the server name`,
  `${AT} [ssl:info] [pid 9:tid 9] [client 10.0.0.5:59853] AH01964: Connection to child 3 established (server localhost:443)`,
  `${AT} [authz_core:error] [pid 9:tid 9] [client 10.0.0.5:59853] AH01630: client denied by server configuration: ${HTDOCS}/sites`,
  `${AT} [autoindex:error] [pid 9:tid 9] [client 10.0.0.5:59853] AH01276: Cannot serve directory ${HTDOCS}/public/: No matching DirectoryIndex found`,
  `${AT} [core:error] [pid 9:tid 9] [client 10.0.0.5:59853] AH00126: Invalid URI in request GET /../../etc/passwd HTTP/1.1`,
  `${AT} [php:notice] [pid 9] [client 10.0.0.5:59853] OpenEMR custom report: 3 rows`,
  `${AT} [reqtimeout:info] [pid 9:tid 9] [client 10.0.0.5:59853] AH01382: Request header read timeout`,
  // Lines of other programs, and nothing at all.
  'mysql-1    | 2026-11-23T18:27:27.000000Z 0 [Note] mariadbd: ready for connections.',
  '2026/11/23 18:27:27 [warn] 31#31: *5 an upstream response is buffered to a temporary file',
  '127.0.0.1 - - [23/Nov/2026:18:27:27 +0000] "GET /apis/default/fhir/Patient HTTP/1.1" 401 0',
  '#12 {main}',
  '==> /var/log/apache2/error.log <==',
  'the client is fine, and so is its scope',
  '',
];

test('there are enough ordinary lines to mean something', () => {
  assert.ok(ORDINARY.length >= 30);
});

for (const line of ORDINARY) {
  test(`nothing is made of: ${line.replace(/^\[.*?\] /, '').slice(0, 90)}`, () => {
    const explainer = createLogExplainer();
    explainer.push(`${line}\n`);
    explainer.end();
    assert.deepEqual(
      explainer.hints().map(({ hint }) => `${hint.id}: ${hint.evidence}`),
      [],
    );
  });
}
