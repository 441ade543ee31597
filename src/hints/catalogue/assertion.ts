/** The client assertion (RFC 7523): its claims, its signature, its text. */
import type { AnswerSign } from '../answer.ts';
import { bare, INVALID_CLIENT_400, INVALID_CLIENT_401 } from './answers.ts';
import type { CatalogueEntry } from './entry.ts';

const hinted = (hint: RegExp): AnswerSign => ({
  status: 400,
  error: 'invalid_request',
  hint,
  proves: 'certain',
});
const SYNC_CLOCKS =
  'Set both clocks by NTP (after sleep, the clock of a docker virtual machine often lags: restart docker)';

/** Entries about claims; the next list has those about signature and text. */
export const CLAIM_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'assertion-aud-mismatch',
    title: 'The audience of the assertion is not what OpenEMR expects',
    cause:
      'OpenEMR compares "aud" byte for byte with its own token URL: Site Address (or scheme and host of the request, when that is empty) + /oauth2/<site>/token. Typical: http for https, another host name or port, a trailing slash in the Site Address, or the FHIR base used as audience.',
    fix: 'Use the token_endpoint of <FHIR base>/.well-known/smart-configuration as audience: remove "audience" from the configuration, or set it to that value. If the announced URL itself is wrong, set Admin > Config > Connectors > Site Address Override, without a trailing slash.',
    versions: 'all',
    stages: ['token'],
    log: [
      /The token is not allowed to be used by this audience(?:.*"expected_?[Aa]udience":"(?<expected>[^"]*)")?/s,
    ],
    answers: [INVALID_CLIENT_400],
    specify({ match, evidence }) {
      const expected = match?.groups?.['expected'] ?? evidence.signed?.announcedTokenEndpoint;
      if (expected === undefined) return {};
      const aud =
        evidence.signed === undefined ? '' : `; the assertion said "${evidence.signed.aud}"`;
      return {
        cause: `OpenEMR expects the audience "${expected}", byte for byte${aud}. It builds that from its Site Address (or from scheme and host of the request, when that is empty) + /oauth2/<site>/token.`,
        fix: `Set "audience" of the route to "${expected}", or remove it so that the discovered token_endpoint is used. If that URL itself is wrong, set Admin > Config > Connectors > Site Address Override, without a trailing slash.`,
      };
    },
    links: [
      {
        label: 'A report of the same confusion: FHIR URL or token URL as audience',
        url: 'https://the-unremarkable-coder.ghost.io/openemr-api-client_credentials-grant_type',
      },
    ],
  },
  {
    id: 'assertion-expired',
    title: 'The assertion had expired when OpenEMR looked at it',
    cause:
      'The "exp" claim is more than 60 s in the past by the clock of the server: the clocks differ, or an old assertion was sent again.',
    fix: `${SYNC_CLOCKS}, and sign a new assertion for every token request.`,
    versions: 'all',
    stages: ['token'],
    log: [/- The token is expired/],
    answers: [INVALID_CLIENT_400],
  },
  {
    id: 'assertion-iat-future',
    title: 'The assertion comes from the future',
    cause:
      'The "iat" claim is more than 60 s ahead of the clock of the server: our clock is fast, or its clock is slow.',
    fix: `${SYNC_CLOCKS}.`,
    versions: 'all',
    stages: ['token'],
    log: [/- The token was issued in the future/],
    answers: [INVALID_CLIENT_400],
  },
  {
    id: 'assertion-nbf-future',
    title: 'The assertion is not valid yet',
    cause: 'The "nbf" claim is more than 60 s ahead of the clock of the server.',
    fix: `Leave "nbf" out of the assertion. ${SYNC_CLOCKS}.`,
    versions: 'all',
    stages: ['token'],
    log: [/- The token cannot be used yet/],
    answers: [INVALID_CLIENT_400],
  },
  {
    id: 'assertion-iat-too-old',
    title: 'The assertion was issued more than five minutes ago',
    cause:
      'Since 7.0.4 OpenEMR refuses an "iat" claim older than 5 minutes by its own clock: our clock is slow, or an old assertion was sent again.',
    fix: `${SYNC_CLOCKS}, and sign a new assertion for every token request.`,
    versions: '7.0.4 and later',
    stages: ['token'],
    log: [/JWT issued too far in the past/],
    answers: [hinted(/^Token issued too far in the past/)],
  },
  {
    id: 'assertion-exp-too-far',
    title: 'The assertion lives too long',
    cause:
      'Since 7.0.4 OpenEMR refuses an "exp" claim more than 24 hours ahead. A time in milliseconds instead of seconds lands here too.',
    fix: 'Set "exp" at most 300 s ahead of now, in seconds since 1970.',
    versions: '7.0.4 and later',
    stages: ['token'],
    log: [/JWT expiration exceeds maximum allowed time/],
    answers: [hinted(/^Token expiration exceeds maximum allowed time/)],
  },
  {
    id: 'assertion-iss-mismatch',
    title: 'Issuer and client id differ',
    cause: 'The "iss" claim must be the client id, and so must "sub"; they were not the same.',
    fix: 'Set "iss" and "sub" of the assertion both to the client id.',
    versions: 'all',
    stages: ['token'],
    log: [
      /- The token was not issued by the given issuers/,
      /JWT iss claim does not match client_id/,
    ],
    answers: [INVALID_CLIENT_400, hinted(/^Invalid issuer claim/)],
  },
  {
    id: 'assertion-sub-missing',
    title: 'The assertion names no client',
    cause: 'OpenEMR reads the client id from the "sub" claim of the assertion, and there was none.',
    fix: 'Set "sub" of the assertion to the client id.',
    versions: 'all',
    stages: ['token'],
    log: [
      /JWT assertion missing required sub claim/,
      /no client found for identifier\s+\{"client":""\}/,
    ],
    answers: [INVALID_CLIENT_401],
  },
  {
    id: 'assertion-jti-missing',
    title: 'The assertion has no jti',
    cause: 'OpenEMR wants a "jti" claim that is not empty, to tell one assertion from another.',
    fix: 'Give every assertion a random "jti", such as a UUID.',
    versions: '6.1 and later',
    stages: ['token'],
    log: [/- jti claim is required for JWT/, /JWT missing required jti claim/],
    answers: [INVALID_CLIENT_400, hinted(/^Missing jti claim/)],
  },
  {
    id: 'assertion-jti-replayed',
    title: 'The same assertion was used twice',
    cause:
      'OpenEMR saw this "jti" before and never forgets one, not even of another client. Typical: a token request that was sent again after a time-out.',
    fix: 'Sign a new assertion with a new "jti" for every attempt, also when repeating one.',
    versions: '6.1 and later',
    stages: ['token'],
    log: [
      /- jti claim has already been used/,
      /UniqueID->assert\(\) Attempted duplicate usage of JWT token/,
    ],
    answers: [INVALID_CLIENT_400],
  },
];

/** Entries about the signature and the text of the assertion. */
export const SIGNATURE_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'assertion-alg-mismatch',
    title: 'OpenEMR accepts no other algorithm than RS384',
    cause: 'The "alg" field of the assertion is not RS384, the only algorithm that OpenEMR checks.',
    fix: 'Sign with an RSA key (RSASSA-PKCS1-v1_5 with SHA-384): "openssl genrsa -out private.pem 3072" makes one; name it in "client.key" and register the client again with the public key that the proxy serves at /.well-known/jwks.json.',
    versions: 'all',
    stages: ['token'],
    log: [/- Token signer mismatch/],
    answers: [INVALID_CLIENT_400],
    specify: ({ evidence: { signed } }) =>
      signed === undefined || signed.alg === 'RS384'
        ? {}
        : {
            cause: `The assertion is signed with ${signed.alg}; OpenEMR checks RS384 and nothing else.`,
          },
  },
  {
    id: 'assertion-sig-mismatch',
    title: 'The signature does not match the registered key',
    cause:
      'OpenEMR checks with the first RSA key of the JWK Set, whatever kid, alg and use say, and the assertion was signed with another one. An inline "jwks" does not count when the client has a jwks_uri.',
    fix: 'Make the public half of the signing key the first RSA key of the JWK Set, and register the client again with it (or mend what jwks_uri serves). The proxy serves the public JWK Set of the configured keys at /.well-known/jwks.json.',
    versions: 'all',
    stages: ['token'],
    log: [/- Token signature mismatch/],
    answers: [INVALID_CLIENT_400],
  },
  {
    id: 'assertion-unparseable',
    title: 'The client_assertion is not a JWT',
    cause:
      'OpenEMR could not read "client_assertion" as a signed JWT in compact form: three base64url parts with two dots.',
    fix: 'Send the compact JWT, form-encoded, with "exp", "iat" and "nbf" as plain numbers (seconds since 1970).',
    versions: 'all',
    stages: ['token'],
    log: [
      /failed to parse token \{.{0,200}"exceptionMessage":"(?<why>[^"]*)"/s,
      /Failed to parse JWT (?:assertion|token) \{.{0,200}"exception":"(?<why>[^"]*)"/s,
    ],
    answers: [INVALID_CLIENT_401],
    specify: ({ match }) =>
      match?.groups?.['why'] === undefined
        ? {}
        : {
            cause: `OpenEMR could not read "client_assertion" as a signed JWT: ${match.groups['why']}.`,
          },
  },
  {
    id: 'assertion-missing',
    title: 'The token request has no client_assertion',
    cause:
      'Parameter "client_assertion" did not arrive; 7.0.3 and older fail over that with an empty 500.',
    fix: 'Send client_assertion and client_assertion_type in the form of the token request.',
    versions: '6.1 to 7.0.3',
    stages: ['token'],
    log: [
      /Lcobucci\\+JWT\\+Token\\+Parser::parse\(\): Argument #1 \(\$jwt\) must be of type string, null given/,
    ],
    answers: [bare(500)],
  },
  {
    id: 'assertion-zend-assert',
    title: 'PHP assertions break the token endpoint of this version',
    cause:
      'With zend.assertions=1 a check in the token endpoint of 7.0.1 and older fails although nothing is wrong.',
    fix: 'Set zend.assertions = -1 in php.ini and restart PHP, or upgrade OpenEMR.',
    versions: '6.1 to 7.0.1',
    stages: ['token'],
    log: [/AssertionError: assert\(\$token instanceof [\w\\]*Plain\)/],
    answers: [bare(500)],
  },
];
