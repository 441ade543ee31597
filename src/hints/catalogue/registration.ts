/** Dynamic client registration (RFC 7591). */
import { wrapped } from './answers.ts';
import type { CatalogueEntry } from './entry.ts';
import { openemrIssue } from './places.ts';

/** Entries about registration. */
export const REGISTRATION_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'reg-jwks-required',
    title: 'A system client needs public keys',
    cause:
      'The registration asks for system/ scopes but has neither "jwks" nor "jwks_uri", or an empty "jwks".',
    fix: 'Add "jwks": {"keys": [ … ]} with the public RSA key, or "jwks_uri".',
    versions: 'all',
    stages: ['registration'],
    log: [/Exception occurred jwks is invalid/],
    answers: [
      {
        status: 400,
        error: 'invalid_client_metadata',
        message: /^jwks is invalid/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'reg-public-system-scope',
    title: 'System scopes are for confidential clients',
    cause:
      'The registration asks for system/ or user/ scopes, but "application_type" is not "private".',
    fix: 'Send "application_type": "private".',
    versions: 'all',
    stages: ['registration'],
    log: [/system and user scopes are only allowed for confidential clients/],
    answers: [
      {
        status: 400,
        message: /^system and user scopes are only allowed for confidential/,
        proves: 'certain',
      },
    ],
  },
  {
    id: 'reg-redirect-uris',
    title: 'The registration lacks redirect_uris',
    cause: 'OpenEMR wants "redirect_uris" from every client, even from one that never redirects.',
    fix: 'Send "redirect_uris": ["https://localhost/"] or any other https URL.',
    versions: 'all',
    stages: ['registration'],
    log: [/Exception occurred redirect_uris is invalid/],
    answers: [{ status: 400, error: 'invalid_redirect_uri', proves: 'certain' }],
  },
  {
    id: 'reg-auth-method',
    title: 'OpenEMR does not know this token_endpoint_auth_method',
    cause:
      '"private_key_jwt" is known since 7.0.4 only, and "none" in no version for such a client.',
    fix: 'Leave "token_endpoint_auth_method" out: the client can then use private_key_jwt in every version.',
    versions: 'all',
    stages: ['registration'],
    log: [/Unsupported token_endpoint_auth_method value :/],
    answers: [
      { status: 400, message: /^Unsupported token_endpoint_auth_method value/, proves: 'certain' },
    ],
  },
  {
    id: 'reg-content-type',
    title: 'The registration is not JSON',
    cause: 'The body is not sent as application/json, is broken JSON or is empty.',
    fix: 'POST the registration as JSON with "Content-Type: application/json".',
    versions: 'all',
    stages: ['registration'],
    log: [
      /Exception occurred (?:Unexpected content type|Invalid JSON|No JSON body)/,
      /ExceptionHandlerListener exception Could not decode request body/,
    ],
    answers: [
      {
        status: 400,
        error: 'invalid_client_metadata',
        message: /^(?:Unexpected content type|Invalid JSON|No JSON body)/,
        proves: 'certain',
      },
      wrapped(400, /^Could not decode request body/, 'certain'),
    ],
  },
  {
    id: 'reg-jwks-not-object',
    title: 'A member of the registration has the wrong type',
    cause:
      'A member that must be an object or array was sent as a string, most often "jwks". The registration page of OpenEMR does that itself when only a JWKS URI is filled in.',
    fix: 'Send "jwks" as an object, {"keys": [ … ]}, and contacts, redirect_uris and grant_types as arrays; with a jwks_uri leave "jwks" out and POST to /oauth2/<site>/registration instead of using the page.',
    versions: '7.0.4 to 8.2',
    stages: ['registration'],
    log: [/Unexpected value for parameter "(?<parameter>\w+)": expecting/],
    answers: [wrapped(400, /^Unexpected value for parameter "(?<parameter>\w+)"/, 'certain')],
    specify: ({ match }) =>
      match?.groups?.['parameter'] === undefined
        ? {}
        : {
            title: `Member "${match.groups['parameter']}" of the registration has the wrong type`,
          },
    links: [
      openemrIssue(12895, 'OpenEMR issue 12895: registration page with only a JWKS URI fails'),
    ],
  },
  {
    id: 'reg-not-saved',
    title: 'OpenEMR could not store the client',
    cause:
      'The database refused the new client: "client_name" is missing, or the schema is older than the program.',
    fix: 'Send "client_name" and "contacts"; if they are there, run the database upgrade (sql_upgrade.php).',
    versions: 'all',
    stages: ['registration'],
    log: [/Failed to create account Exception: /],
    answers: [{ status: 500, text: /Try again\. Unable to create account/, proves: 'certain' }],
  },
  {
    id: 'reg-client-uri-403',
    title: 'registration_client_uri cannot be read',
    cause: 'OpenEMR gives out that URL but can authenticate nobody there, whatever token is sent.',
    fix: 'Do not ask it; look at the client under Admin > System > API Clients.',
    versions: 'all',
    stages: ['registration'],
    answers: [{ status: 403, text: /Invalid registration token/, proves: 'certain' }],
    links: [openemrIssue(12324, 'OpenEMR issue 12324: registration_client_uri answers 403')],
  },
];
