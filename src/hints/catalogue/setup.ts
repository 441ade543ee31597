/** OpenEMR itself is set up wrongly or broken. */
import { withoutValues } from '../excerpt.ts';
import { bare, wrapped } from './answers.ts';
import { comesFromOauth, EVERYWHERE } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';

const CERTIFICATES = 'sites/<site>/documents/certificates';

/** Entries about OpenEMR's own set-up. */
export const SETUP_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'system-user-missing',
    title: 'The user for system clients is missing in OpenEMR',
    cause:
      'System tokens belong to the user oe-system, which is missing or incomplete in the database.',
    fix: 'Try once more (the first request of all may fail). If it stays: run sql/official_additional_users.sql of the OpenEMR release against the database, or the upgrade from 6.0.0 to 6.1.0.',
    versions: 'all',
    stages: ['token'],
    log: [/SystemUser was missing\.\s+System is not setup properly/],
    answers: [{ status: 500, text: /Server was not properly setup/, proves: 'certain' }],
  },
  {
    id: 'jti-save-failed',
    title: 'OpenEMR cannot store the jti of the assertion',
    cause:
      'The table jwt_grant_history is missing or cannot be written: the database is older than the program.',
    fix: 'Run the database upgrade: sql_upgrade.php of OpenEMR.',
    versions: '6.1 and later',
    stages: ['token'],
    log: [/Failed to save jti to database Exception: /, /Failed to save JWT history \{/],
    answers: [
      {
        status: 500,
        text: /Server error occurred (?:in parsing|while processing) JWT/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'oauth-keys-broken',
    title: "OpenEMR's own OAuth keys are broken",
    cause: `The files oaprivate.key and oapublic.key in ${CERTIFICATES} are missing, not readable, or do not belong to the rows in table "keys".`,
    fix: `On the server make ${CERTIFICATES} writable for the web user. If that is not it: delete both files there and the rows "oauth2key" and "oauth2passphrase" of table "keys"; OpenEMR makes all of it anew at the next token request, and tokens in use die.`,
    versions: 'all',
    stages: ['token', 'registration'],
    log: [
      /OpenEMR error - (?:.{0,200}oauth2.{0,200}|key .{0,200}broken.{0,200}), so forced exit/i,
      /Unable to create\/recreate oauth2 keys/,
      /Key path "file:[^"]*oaprivate\.key" does not exist or is not readable/,
    ],
    answers: [
      bare(500),
      { status: 500, text: /problem with authorization server keys/, proves: 'certain' },
      wrapped(500, /oaprivate\.key" does not exist or is not readable/, 'certain'),
    ],
  },
  {
    id: 'oauth-key-perms-notice',
    title: 'PHP writes notices into the answers',
    cause:
      'display_errors is on, and a notice about the permissions of a key file stands in front of the JSON, which breaks most clients.',
    fix: `On the server run "chmod 600 ${CERTIFICATES}/oa*.key" and set display_errors = Off in php.ini.`,
    versions: 'all',
    stages: EVERYWHERE,
    companion: true,
    log: [/Key file "[^"]*" permissions are not correct, recommend changing to 600 or 660/],
    answers: [
      {
        status: [200, 400, 401, 500],
        text: /Key file "[^"]*" permissions are not correct, recommend changing to 600 or 660/,
        proves: 'certain',
      },
      { status: [200, 400, 401, 500] },
    ],
    links: [
      {
        label: 'OpenEMR forum: notice in front of the JSON',
        url: 'https://community.open-emr.org/t/15805',
      },
    ],
  },
  {
    id: 'site-unknown-oauth',
    title: 'The site segment of the token URL is missing or wrong',
    cause:
      'The token endpoint is /oauth2/<site>/token, with the name of a folder below sites/ (usually "default").',
    fix: 'Correct "tokenEndpoint" of the route, or remove it so that the discovered one is used; the site is the one of "upstream".',
    versions: 'all',
    stages: ['token', 'registration'],
    log: [
      /Failed opening required '[^']*sites\/(?<site>[^'/]*)\/sqlconf\.php'(?!.*apis\/dispatch\.php)/s,
      /ServerConfig::setSiteId\(\): Argument #1 \(\$siteId\) must be of type string, null given/,
      /OpenEMR Error - api site error, so forced exit siteId: [^,]*, pathInfo: \S*\/(?:token|registration|introspect|jwk)\b/,
      /oauth2 error since unable to properly collect site/,
    ],
    answers: [bare(500), wrapped(400, /api site error, so forced exit/, 'certain')],
  },
  {
    id: 'token-exception',
    title: "OpenEMR's OAuth code failed",
    cause:
      'The token or registration endpoint ran into an error of its own. 7.0.3 and older answer an empty 500 then; the reason stands in the error log only.',
    fix: 'Read the error log of OpenEMR around this time (set "errorLog" of the route); a JWK Set that is not JSON, a missing client_assertion, a wrong site segment and unreadable keys all look like this.',
    versions: 'all',
    stages: ['token', 'registration'],
    lastResort: true,
    applies: ({ stage, logEntries }) => stage !== undefined || logEntries.some(comesFromOauth),
    log: [
      /oauthAuthorizeToken\(\) Exception occurred \{"message":"(?<what>[^"]{1,200})/,
      /ExceptionHandlerListener exception (?<what>[^{]{1,200})/,
      /^PHP (?:Fatal|Parse) error:\s{1,4}(?<what>.{1,200})/s,
    ],
    answers: [
      bare(500, 'likely'),
      wrapped(500, /(?<what>.{1,200})/s, 'certain'),
      { status: 500, error: 'server_error', proves: 'likely' },
      { status: 500, proves: 'likely' },
    ],
    specify({ match }) {
      const what = withoutValues(match?.groups?.['what'] ?? '')
        .replace(/ in \/.*/s, '')
        .trim()
        .replace(/\.$/, '');
      return what === '' ? {} : { cause: `The OAuth code of OpenEMR failed with: ${what}.` };
    },
  },
];
