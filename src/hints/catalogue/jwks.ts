/** The JWK Set (RFC 7517) that OpenEMR holds or fetches for the client. */
import { bare, INVALID_CLIENT_401, wrapped } from './answers.ts';
import type { CatalogueEntry } from './entry.ts';

const retrieval = (reason: string): RegExp =>
  new RegExp(
    `(?:failed to retrieve jwk for client|Failed to retrieve or validate JWK for client) .{0,400}${reason}`,
    's',
  );
const RE_REGISTER =
  'OpenEMR has no form to edit the keys of a client: register the client again with the corrected keys';

/** Entries about the JWK Set. */
export const JWKS_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'jwks-none',
    title: 'The client has no public keys',
    cause:
      'The client was registered with neither "jwks" nor "jwks_uri", so OpenEMR has nothing to check the signature with.',
    fix: 'Register the client again with "jwks": {"keys": […]} (an object) or with "jwks_uri"; there is no form to add them later.',
    versions: 'all',
    stages: ['token'],
    log: [/jwks_uri or jwks string must be provided/, /Client has no JWKS or JWKS URI configured/],
    answers: [INVALID_CLIENT_401],
  },
  {
    id: 'jwks-missing-keys',
    title: 'The JWK Set has no "keys" member',
    cause:
      'OpenEMR wants a JWK Set, {"keys": [ … ]}, and found JSON without "keys": a bare JWK, a "jwks" that was registered as a JSON string instead of an object, or a jwks_uri that answers with other JSON (an error message, for example).',
    fix: `Wrap the key: publish or register {"keys": [ {"kty": "RSA", "n": "…", "e": "AQAB"} ]}, with the public JWK inside the array, and send "jwks" as an object, not as a string. ${RE_REGISTER}.`,
    versions: 'all',
    stages: ['token'],
    log: [retrieval('Malformed jwks missing keys property')],
    answers: [INVALID_CLIENT_401],
    links: [
      {
        label: "A walk through OpenEMR's system client login",
        url: 'https://mattsch.com/blog/2025/07/23/authenticating-as-a-system-user-with-openemrs-fhir-api-using-oauth2',
      },
    ],
  },
  {
    id: 'jwks-key-unusable',
    title: 'The JWK Set holds no usable RSA key',
    cause:
      'OpenEMR takes the first key with kty "RSA", n and e. It found none: "keys" is empty or no array, holds EC keys only, or the keys carry only x5c.',
    fix: `Put an RSA public key with "kty", "n" and "e" into "keys"; RSA with RS384 is the only kind that OpenEMR checks. ${RE_REGISTER}.`,
    versions: 'all',
    stages: ['token'],
    log: [retrieval('Malformed key object')],
    answers: [INVALID_CLIENT_401],
  },
  {
    id: 'jwks-uri-unreachable',
    title: 'OpenEMR cannot fetch the jwks_uri',
    cause:
      'The OpenEMR server itself fetches jwks_uri at every token request and could not: connection refused, name unknown to it, an untrusted or self-signed certificate, or not a URL. "localhost" there means the OpenEMR machine or container. An inline "jwks" does not step in: jwks_uri wins.',
    fix: 'Register the client with inline "jwks" instead, or with a jwks_uri that the server can reach (in docker: the service name or host.docker.internal) under a certificate that it trusts. Test it from there: docker compose exec openemr curl -v <jwks_uri>.',
    versions: 'all',
    stages: ['token'],
    log: [/failed to retrieve jwk contents from jwk_uri/i],
    answers: [INVALID_CLIENT_401],
  },
  {
    id: 'jwks-not-json',
    title: 'The JWK Set is not a JSON object',
    cause:
      'What OpenEMR read as JWK Set is no JSON object: an HTML page, an empty answer, a redirect (it follows none), a byte order mark in front, a bare array, or broken JSON.',
    fix: 'Let jwks_uri answer 200 at once, without redirect and byte order mark, with {"keys": [ … ]}; for inline keys register the client again with "jwks" as an object.',
    versions: 'all (7.0.3 and older answer 500 with an empty body)',
    stages: ['token'],
    log: [
      /(?:exception |TypeError: )property_exists\(\): Argument #1 \(\$object_or_class\) must be of type object.string, (?:null|array) given/,
    ],
    answers: [
      bare(500),
      wrapped(500, /^property_exists\(\): Argument #1/, 'certain'),
      { status: 500, text: /^property_exists\(\): Argument #1/, proves: 'certain' },
    ],
  },
  {
    id: 'jwks-bad-modulus',
    title: 'The numbers of the registered key cannot be read',
    cause: 'Member "n" or "e" of the registered JWK is not the base64url text of an RSA key.',
    fix: 'Export the public JWK from the private key again, without changing it by hand, and register the client again with it.',
    versions: 'all',
    stages: ['token'],
    log: [
      /oauthAuthorizeToken\(\) Exception occurred .{0,400}(?:Unable to read key|Base64::decode\(\) only expects)/s,
    ],
    answers: [
      { status: 500, text: /^Unable to read key/, proves: 'certain' },
      { status: 500, text: /Base64::decode\(\) only expects/, proves: 'certain' },
    ],
  },
  {
    id: 'jwks-phpseclib-missing',
    title: 'The OpenEMR installation lacks its RSA library',
    cause:
      'The library phpseclib is missing in the vendor folder of the server, so it can check no signature at all.',
    fix: 'On the server run "composer install --no-dev" in the OpenEMR folder, or install a release package.',
    versions: '7.0.1 and older',
    stages: ['token'],
    log: [/Crypt_RSA support unavailable\./],
    answers: [INVALID_CLIENT_401],
  },
  {
    id: 'jwks-uri-slow',
    title: 'Perhaps the jwks_uri does not answer OpenEMR',
    cause:
      'OpenEMR fetches jwks_uri inside the token request and waits for it without a limit; a host that takes the connection and says nothing lets the whole token request time out.',
    fix: 'Register the client with inline "jwks" instead of "jwks_uri", or check from the server that it answers: docker compose exec openemr curl -v <jwks_uri>.',
    versions: 'all',
    stages: ['token'],
    companion: true,
    circumstances: ({ stage, nodeCode }, { status }) =>
      stage === 'token' && (status === 504 || nodeCode === 'UND_ERR_HEADERS_TIMEOUT')
        ? 'the token request timed out'
        : undefined,
  },
];
