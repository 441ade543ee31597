/** The FHIR endpoint refuses the access token. */
import type { AnswerSign } from '../answer.ts';
import type { Evidence } from '../evidence.ts';
import { bare, wrapped } from './answers.ts';
import { FAILED_OTHER_SITE, NEAR_END_MS } from './circumstances.ts';
import type { CatalogueEntry, HintText } from './entry.ts';

const denied = (hint: RegExp, proves?: 'certain'): AnswerSign => ({
  status: 401,
  error: 'access_denied',
  hint,
  ...(proves === undefined ? {} : { proves }),
});
const RENEWS = 'This proxy gets a new token and tries once more by itself';
/** What is known about the age of the token, as a clause, or undefined. */
function tokenAge({ tokenAgeMs, tokenLifetimeMs }: Evidence): string | undefined {
  if (tokenAgeMs === undefined) return undefined;
  const life = tokenLifetimeMs === undefined ? '' : ` of ${Math.round(tokenLifetimeMs / 1000)} s`;
  return `the token was ${Math.round(tokenAgeMs / 1000)} s${life} old`;
}

function withTokenAge(cause: string): (found: { evidence: Evidence }) => Partial<HintText> {
  return ({ evidence }) => {
    const age = tokenAge(evidence);
    return age === undefined ? {} : { cause: `${cause} Here ${age}.` };
  };
}

const DENIED_CAUSE =
  'The Authorization field is missing, or the token is expired, revoked, malformed or signed with other keys; OpenEMR does not say which.';
const REJECTED_CAUSE =
  'The token has expired (OpenEMR gives 300 s and no grace), or was signed with other keys: by another server, or before the keys of this one were made anew.';

/** Entries about the token itself. */
export const ACCESS_TOKEN_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'fhir-token-revoked',
    title: 'The access token has been revoked',
    cause:
      'An administrator revoked the token in the list of API clients, or its row was marked as revoked.',
    fix: `Get a new token. ${RENEWS}.`,
    versions: 'all',
    stages: ['fhir'],
    log: [/dispatch\.php access token was revoked/],
    answers: [
      denied(/^Access token has been revoked/, 'certain'),
      {
        status: 401,
        error: 'An error occurred',
        text: /denied the request\.","code":\s*9\b/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'fhir-no-auth-header',
    title: 'No access token reached OpenEMR',
    cause:
      'The request had no Authorization field when PHP saw it. Paths that look open need a token too: /metadata/ with a slash at the end, /OperationDefinition/<id>.',
    fix: 'Send the request through a route of this proxy, which adds the token, and without a slash at the end. If a token was sent, let Apache pass it on: "AllowOverride FileInfo" for the OpenEMR folder, or "CGIPassAuth On".',
    versions: '6.1 to 7.0.3',
    stages: ['fhir', 'discovery'],
    applies: ({ authorization }) => authorization !== 'other',
    specify: ({ evidence: { authorization } }) =>
      authorization === 'bearer'
        ? {
            cause:
              'This proxy sent the token, and PHP did not get it: Apache, or a gateway in between, took the Authorization header away.',
            fix: 'Let Apache pass it on: "AllowOverride FileInfo" for the OpenEMR folder, or "CGIPassAuth On". With a gateway in between, let that pass it on too.',
          }
        : {},
    answers: [
      denied(/^Missing "Authorization" header/, 'certain'),
      denied(/^The JWT string must have two dots/, 'certain'),
    ],
  },
  {
    id: 'fhir-token-malformed',
    title: 'What was sent as access token is not one of OpenEMR',
    cause:
      'The Authorization field does not hold a JWT of OpenEMR after the word "Bearer", which is compared with its capital B. Basic credentials and two Authorization fields end here too.',
    fix: 'Send exactly one field "Authorization: Bearer <access_token>", with the token from the token endpoint; through this proxy, send none.',
    versions: '6.1 to 7.0.3',
    stages: ['fhir', 'discovery'],
    answers: [
      denied(/^Error while decoding from/, 'certain'),
      denied(/^The JWT string must have two dots/),
    ],
    circumstances: ({ authorization }, answer) =>
      authorization === 'other' &&
      answer.hint?.startsWith('The JWT string must have two dots') === true
        ? { certainty: 'certain', says: 'the Authorization field does not begin with "Bearer "' }
        : undefined,
  },
  {
    id: 'fhir-token-rejected',
    title: 'The access token has expired or belongs to other keys',
    cause: REJECTED_CAUSE,
    fix: `Get a new token. ${RENEWS}; if a new token is refused as well, the public and private key of the server do not belong together: see "oauth-keys-broken".`,
    versions: '6.1 to 7.0.3',
    stages: ['fhir'],
    answers: [denied(/^Access token could not be verified/, 'certain')],
    specify: withTokenAge(REJECTED_CAUSE),
  },
  {
    id: 'fhir-token-unknown',
    title: 'OpenEMR no longer knows the access token',
    cause:
      'The token is past its end by the database, which cuts it to whole seconds, or its row is gone: the database was restored or cleaned.',
    fix: `Get a new token. ${RENEWS}.`,
    versions: 'all',
    stages: ['fhir'],
    log: [/dispatch\.php api call with invalid token/],
    answers: [
      bare(401),
      wrapped(401, /API call failed due to invalid token or expired token/, 'certain'),
    ],
    circumstances(evidence, answer) {
      const { stage, tokenAgeMs, tokenLifetimeMs } = evidence;
      if (stage !== 'fhir' || answer.status !== 401 || !answer.empty) return undefined;
      if (tokenAgeMs === undefined || tokenLifetimeMs === undefined) return 'an empty 401';
      return tokenAgeMs > tokenLifetimeMs - NEAR_END_MS
        ? `an empty 401, and ${tokenAge(evidence)}`
        : undefined;
    },
  },
  {
    id: 'fhir-public-key-missing',
    title: 'OpenEMR lacks the key to check tokens with',
    cause:
      'The file sites/<site>/documents/certificates/oapublic.key of the server is missing, broken or not readable by the web server, so every token is refused.',
    fix: 'On the server make sites/<site>/documents/certificates readable and writable for the web user, then request a token once: OpenEMR makes missing keys anew.',
    versions: 'all (8.0 answers as if the token were wrong)',
    stages: ['fhir'],
    log: [
      /LogicException, likely oauth2 public key is missing, corrupted, or misconfigured/,
      /Key path "file:[^"]*oapublic\.key" does not exist or is not readable/,
    ],
    answers: [
      { status: 401, error: 'invalid_token', proves: 'likely' },
      bare(500),
      wrapped(500, /^Server Error$|oapublic\.key/, 'certain'),
    ],
    applies: ({ logEntries }) => !logEntries.some(({ text }) => FAILED_OTHER_SITE.test(text)),
  },
  {
    id: 'fhir-trusted-user-gone',
    title: 'The entry that trusts this client was removed',
    cause:
      'The row of the client in oauth_trusted_user is gone: an administrator revoked the trusted user. Every token request makes it anew.',
    fix: `Get a new token. ${RENEWS}.`,
    versions: 'all',
    stages: ['fhir'],
    log: [
      /invalid Trusted User\.\s+Refresh Token revoked or logged out/,
      /ExceptionHandlerListener exception Refresh Token revoked or logged out/,
    ],
    answers: [{ status: 400, text: /Refresh Token revoked or logged out/, proves: 'certain' }],
  },
  {
    id: 'fhir-access-denied',
    title: 'OpenEMR refuses the access token',
    cause: DENIED_CAUSE,
    fix: `Get a new token. ${RENEWS}. If a new token is refused as well: does the Authorization field reach PHP, is there no slash at the end of an open path, do the keys of the server belong together ("oauth-keys-broken")?`,
    versions: '7.0.4 and later',
    stages: ['fhir', 'discovery'],
    // Code 9 is what tells a revoked token.
    applies: (_evidence, { text }) => !/"code":\s*9\b/.test(text),
    log: [/verifyAccessToken\(\) OAuthServerException \{"message":"The resource owner/],
    answers: [
      wrapped(401, /^The resource owner or authorization server denied the request/, 'certain'),
      bare(401),
    ],
    specify: withTokenAge(DENIED_CAUSE),
  },
];
