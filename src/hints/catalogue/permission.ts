/** The token is good, but not for this request; or what came along with it spoils it. */
import { coversInteraction, neededScope } from '../../fhir/scope.ts';
import { bare, wrapped } from './answers.ts';
import { isModern, NEAR_END_MS } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';
import { openemrIssue } from './places.ts';

/** Entries about what the token may do. */
export const PERMISSION_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'fhir-patient-scope',
    title: 'The scope is for one patient, and a system client has none',
    cause:
      'The token covers this resource with a patient/ scope only, which needs a patient to be chosen at login.',
    fix: 'Ask for system/ scopes only: "client.scopes" of the route.',
    versions: 'all',
    stages: ['fhir'],
    log: [
      /checkSecurity\(\) - exited since patient binding mechanism broken/,
      /Patient UUID is required for patient requests\./,
    ],
    answers: [bare(401), wrapped(401, /^Unauthorized$/)],
  },
  {
    id: 'fhir-scope-missing',
    title: 'The token lacks the scope for this request',
    cause:
      'The granted scopes do not cover this resource and interaction. OpenEMR answers 401, not 403, so it looks like a login problem; renewing the token does not help.',
    fix: 'Add the scope to "client.scopes" of the route. If the client is not registered for it, register a new client with it, and enable that: OpenEMR drops other scopes silently.',
    versions: 'all (7.0.3 and older log it only at System Error Logging = Debug)',
    stages: ['fhir'],
    log: [
      /RestConfig::scope_check scope not in access token \{"scope":"(?<scope>[^"]*)"/,
      /\bscope (?<scope>\S+) not in access token/,
    ],
    answers: [wrapped(401, /^Unauthorized$/, 'certain'), bare(401)],
    circumstances({ grantedScopes, interaction, stage }, { status, empty }) {
      if (stage !== 'fhir' || status !== 401 || !empty) return undefined;
      if (grantedScopes === undefined || interaction === undefined) return 'an empty 401';
      return coversInteraction(grantedScopes, interaction)
        ? undefined
        : `an empty 401, and granted is only "${grantedScopes.join(' ')}"`;
    },
    specify({ match, evidence, answer }) {
      const named = match?.groups?.['scope'];
      const needed =
        evidence.interaction === undefined ? undefined : neededScope(evidence.interaction);
      const scope = named ?? (isModern(evidence, answer) === true ? needed?.v2 : needed?.v1);
      if (scope === undefined) return {};
      const cause = `The request needs the scope "${scope}", and the token was not granted it. OpenEMR answers 401, not 403, so it looks like a login problem; renewing the token does not help.`;
      const writes = /\.(?:write|[cud]+)$/.test(scope);
      if (writes && isModern(evidence, answer) === false) {
        return {
          cause,
          fix: 'OpenEMR before 7.0.4 has no scope with which a system client may write: asking for one fails the whole token request. Upgrade, or write with a client of a user.',
        };
      }
      return {
        cause,
        fix: `Add ${scopeToAsk(scope, needed?.v1)} to "client.scopes" of the route. If the client is not registered for it, register a new client with it, and enable that: OpenEMR drops other scopes silently.`,
      };
    },
  },
  {
    id: 'fhir-acl-denied',
    title: 'The user behind system tokens has no permission',
    cause:
      'System tokens act as the user oe-system, which lost its place in the access control lists. 7.0.3 and older answer an empty 401 and log nothing.',
    fix: 'In OpenEMR open Admin > ACL and put oe-system back into Administrators; if the user is incomplete, run the database upgrade (sql_upgrade.php) and acl_upgrade.php again.',
    versions: 'all',
    stages: ['fhir'],
    log: [/Organization policy does not have permit access resource/],
    answers: [
      bare(401),
      wrapped(403, /Organization policy does not have permit access/, 'certain'),
    ],
    circumstances: (
      { grantedScopes, interaction, stage, tokenAgeMs, tokenLifetimeMs },
      { status, empty },
    ) =>
      stage === 'fhir' &&
      status === 401 &&
      empty &&
      grantedScopes !== undefined &&
      interaction !== undefined &&
      coversInteraction(grantedScopes, interaction) &&
      tokenAgeMs !== undefined &&
      tokenAgeMs < (tokenLifetimeMs ?? 300_000) - NEAR_END_MS
        ? 'an empty 401, although the token is young and its scopes cover the request'
        : undefined,
  },
  {
    id: 'fhir-wrong-api',
    title: 'System tokens work below /fhir only',
    cause:
      'The request went to /api or /portal of OpenEMR, where tokens of system clients are not accepted.',
    fix: 'Use the FHIR resource instead, below <server>/apis/<site>/fhir.',
    versions: 'all',
    stages: ['fhir'],
    log: [
      /api failed because user role does not have access to the resource/,
      /api call with token that does not cover the requested route/i,
    ],
    answers: [
      bare(401),
      wrapped(403, /API call failed due to insufficient permissions/, 'certain'),
    ],
    links: [openemrIssue(8556, 'OpenEMR issue 8556: system tokens are not for /api')],
  },
  {
    id: 'fhir-user-unidentified',
    title: 'The user behind the token does not exist',
    cause:
      'The user oe-system, as whom system tokens act, was changed or deleted after the token was issued.',
    fix: 'Restore the user: run sql/official_additional_users.sql of the OpenEMR release against the database, then get a new token.',
    versions: 'all',
    stages: ['fhir'],
    log: [
      /api user account could not be identified, so forced exit/,
      /api user role for user could not be identified/,
      /unable to set critical users session variables/,
    ],
    answers: [bare([400, 401]), wrapped(400, /^$/)],
  },
  {
    id: 'fhir-csrf-header',
    title: 'The request carries APICSRFTOKEN',
    cause:
      'That field makes OpenEMR take the request for one of its own web pages: it ignores the access token, and answers with a login page or a bare text, at times with status 200.',
    fix: 'Do not send the field APICSRFTOKEN; this proxy removes it from what passes through it.',
    versions: 'all',
    stages: ['fhir', 'token', 'discovery'],
    log: [/internal api failed because csrf token (?:did not match|not received)/],
    answers: [
      { status: 200, text: /^Site ID is missing from session data!/, proves: 'certain' },
      { status: 200, body: 'html', text: /login_screen\.php\?error=1/, proves: 'certain' },
      wrapped(401, /internal api failed because csrf token did not match/, 'certain'),
      bare(401),
    ],
  },
  {
    id: 'fhir-cookie-conflict',
    title: 'Cookies of an OpenEMR web session came along',
    cause:
      'The browser sent the cookies of a login at the same host (cookies ignore ports), and this version cannot start a second session.',
    fix: 'Send no Cookie field to the API; this proxy removes it from what passes through it.',
    versions: '8.0',
    stages: ['fhir', 'token', 'discovery'],
    log: [/Failed to start the session: already started by PHP/],
    answers: [
      {
        status: 500,
        text: /Failed to start the session: already started by PHP/,
        proves: 'certain',
      },
    ],
    links: [openemrIssue(10416, 'OpenEMR issue 10416: API calls with session cookies fail')],
  },
];

/** What to ask for so that a scope is granted: OpenEMR offers no letter for writing alone. */
function scopeToAsk(scope: string, v1: string | undefined): string {
  if (v1 === undefined || v1 === scope) return `"${scope}"`;
  return /\.[cud]$/.test(scope)
    ? `"${v1}" (OpenEMR offers no "${scope}" alone)`
    : `"${scope}" ("${v1}" covers it too)`;
}
