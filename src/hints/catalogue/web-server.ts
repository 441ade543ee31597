/** What stands in front of OpenEMR and below it: Apache, PHP, the database. */
import { bare, wrapped } from './answers.ts';
import { EVERYWHERE } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';

/** Apache lost PHP-FPM rather than patience. */
const CUT_BY_PHP =
  /AH01075: Error dispatching request to .{0,200}Connection reset|AH01067: Failed to read FastCGI header|AH10308|child \d{1,10} exited on signal \d/s;

/** Entries about what stands in front of OpenEMR and below it. */
export const WEB_SERVER_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'db-down',
    title: 'OpenEMR cannot reach its database',
    cause: 'The web server runs and the database does not, or not yet.',
    fix: 'Start the database or wait for it (docker compose ps, docker compose logs mysql); the first start of the images takes minutes.',
    versions: 'all',
    stages: EVERYWHERE,
    log: [
      /mysqli_query\(\): Argument #1 \(\$mysql\) must be of type mysqli, (?:bool|false|null) given/,
      /ExceptionHandlerListener exception Call to a member function prepare\(\) on (?:bool|false|null)/,
    ],
    answers: [
      bare(500),
      { status: 500, text: /^Check that you can ping the server/, proves: 'certain' },
      wrapped(500, /^Call to a member function prepare\(\) on (?:bool|false|null)/, 'certain'),
    ],
  },
  {
    id: 'php-memory-exhausted',
    title: 'PHP ran out of memory',
    cause:
      'The answer was too large for memory_limit of PHP: OpenEMR builds a whole Bundle, or a whole export, in memory.',
    fix: 'Page the search with _count=100 and _offset=0, 100, 200 …, narrow the export, or raise memory_limit in php.ini of the server.',
    versions: 'all',
    stages: EVERYWHERE,
    log: [/PHP Fatal error:\s+Allowed memory size of \d+ bytes exhausted/],
    answers: [bare(500), { status: 500 }],
  },
  {
    id: 'backend-crashed',
    title: 'PHP ended while it worked on the request',
    cause:
      'The connection between Apache and PHP-FPM was cut before the response came: the PHP process crashed, was killed for its memory, or was restarted.',
    fix: 'Send the request again. If it fails again, look for "exited on signal" in the log of PHP-FPM, and for "Out of memory" in that of the machine (dmesg).',
    versions: 'all',
    stages: EVERYWHERE,
    log: [CUT_BY_PHP],
    answers: [{ status: [500, 502, 503, 504] }],
  },
  {
    id: 'backend-timeout',
    title: 'The web server waited in vain for PHP',
    cause:
      'Apache passed the request on to PHP-FPM and gave up waiting: PHP hangs, is overloaded, or waits itself for something else.',
    fix: 'Look at PHP-FPM on the server (systemctl status php*-fpm, docker compose logs); restart it if it hangs.',
    versions: 'all',
    stages: EVERYWHERE,
    log: [/AH01075: Error dispatching request to/],
    applies: ({ logEntries }) => !logEntries.some(({ text }) => CUT_BY_PHP.test(text)),
    answers: [{ status: 504, proves: 'likely' }, { status: [502, 503] }],
  },
  {
    id: 'backend-down',
    title: 'The web server runs, PHP behind it does not',
    cause:
      'Apache, or a proxy in front of it, cannot reach PHP-FPM: it is stopped, or OpenEMR is still starting.',
    fix: 'Wait if it has just been started (the first start of the images takes minutes), else start PHP-FPM or the openemr container again.',
    versions: 'all',
    stages: EVERYWHERE,
    log: [/AH01079: failed to make connection to backend/, /AH00957: FCGI: attempt to connect to/],
    answers: [{ status: [502, 503], proves: 'likely' }, { status: 504 }],
  },
  {
    id: 'rewrite-off',
    title: 'Apache itself answered 404; the request never reached OpenEMR',
    cause:
      'The path is not below /apis or /oauth2 of OpenEMR (its web root may be /openemr), or mod_rewrite and the .htaccess files of OpenEMR are not in force.',
    fix: 'Correct "upstream" of the route: https://<server>[/openemr]/apis/<site>/fhir. If it is right, switch on mod_rewrite and "AllowOverride FileInfo" for the OpenEMR folder.',
    versions: 'all',
    stages: EVERYWHERE,
    applies: ({ requestPath = '' }) => !/%(?:2f|5c|00)/i.test(requestPath),
    answers: [
      {
        status: 404,
        body: 'html',
        text: /The requested URL .*was not found on this server/s,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'http-on-tls-port',
    title: 'Plain HTTP was spoken to an HTTPS port',
    cause: 'The URL says http, and the port behind it speaks TLS.',
    fix: 'Write https:// in "upstream" (and "tokenEndpoint"), or use the port for plain HTTP.',
    versions: 'all',
    stages: EVERYWHERE,
    answers: [
      {
        status: 400,
        text: /speaking plain HTTP to an SSL-enabled server port|plain HTTP request was sent to HTTPS port|Client sent an HTTP request to an HTTPS server/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'apache-limits',
    title: 'The request line or its fields are too long for Apache',
    cause:
      'A line or field is over 8190 bytes, or there are more than 100 fields. Many scopes make a long token.',
    fix: 'Ask for fewer scopes, send fewer and shorter fields, search with POST _search; or raise LimitRequestLine, LimitRequestFieldSize and LimitRequestFields of Apache.',
    versions: 'all',
    stages: EVERYWHERE,
    answers: [
      { status: [414, 431], body: 'html', proves: 'certain' },
      { status: [414, 431], proves: 'likely' },
      {
        status: 400,
        body: 'html',
        text: /exceeds (?:this )?server(?:'s)? limit/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'apache-bad-request',
    title: 'Apache could not understand the request',
    cause:
      'Apache refused it before OpenEMR saw it: an invalid Host field, a control character, a broken request line.',
    fix: 'Look at what the client sends: Host must be a plain host name and port, the path percent-encoded.',
    versions: 'all',
    stages: EVERYWHERE,
    answers: [
      {
        status: 400,
        body: 'html',
        text: /sent a request that this server could not understand\.<br \/>\s*<\/p>/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'method-blocked',
    title: 'Apache does not let this method through',
    cause:
      'The images of OpenEMR allow GET, POST, PUT, DELETE, HEAD and OPTIONS; PATCH and others are refused by Apache.',
    fix: 'Use PUT with the whole resource instead of PATCH.',
    versions: 'docker images',
    stages: EVERYWHERE,
    log: [/AH01623: client method denied by server configuration/],
    answers: [
      {
        status: 405,
        body: 'html',
        text: /The requested method \S{1,40} is not allowed for this URL/,
        proves: 'certain',
      },
      { status: 405 },
    ],
  },
];
