import { isHttpUrl } from '../../config/http-url.ts';
import type { Arguments, ParsedArguments } from '../command.ts';
import { DEFAULT_KEY_FILE } from '../key-file.ts';
import { UsageError } from '../usage-error.ts';

/** Name of a client that is given no other. */
export const DEFAULT_CLIENT_NAME = 'fhir-auth-proxy';

/** What `init` and `register` both take. */
export const registrationArguments = {
  url: {
    positional: true,
    type: 'string',
    describe: 'Any address of the server: its root, login page, FHIR base or token endpoint',
  },
  scopes: {
    alias: 's',
    type: 'string',
    requiresArg: true,
    parse: parseScopes,
    describe:
      'Scopes to ask for, separated by spaces, such as "system/Patient.read"; "system/*.read" is every type',
  },
  write: {
    type: 'boolean',
    default: false,
    describe: 'Offer scopes that change data as well',
  },
  key: {
    type: 'string',
    requiresArg: true,
    describe: `Private key file, JWK or PEM; made when it is not there; default ${DEFAULT_KEY_FILE}`,
  },
  'jwks-uri': {
    type: 'string',
    requiresArg: true,
    parse: parseJwksUri,
    describe:
      'Register the address of the public keys instead of the keys: a URL, or "auto" for the one of this proxy',
  },
  'pin-certificate': {
    type: 'string',
    requiresArg: true,
    parse: parsePin,
    describe:
      'Trust the certificate with this SHA-256 fingerprint; "first" trusts whatever the server shows now',
  },
  ca: {
    type: 'string',
    requiresArg: true,
    describe: 'PEM file of the certificate, or of its authority, to trust',
  },
  site: {
    type: 'string',
    requiresArg: true,
    describe: 'Site of OpenEMR; default that of the URL, else "default"',
  },
  'client-name': {
    type: 'string',
    default: DEFAULT_CLIENT_NAME,
    requiresArg: true,
    describe: 'Name that administrators see',
  },
  contact: {
    type: 'string',
    requiresArg: true,
    describe: 'Mail address that administrators see',
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'Print what was made as JSON on standard output',
  },
} satisfies Arguments;

/** Arguments of `init` and of `register`. */
export type RegistrationArgs = ParsedArguments<typeof registrationArguments>;

/** Scopes are separated by spaces or commas. */
function parseScopes(text: string): string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => scope !== '');
  if (scopes.length > 0) return scopes;
  throw new UsageError('--scopes is empty: expected scopes such as "system/Patient.read"');
}

/** `auto` or a URL. */
function parseJwksUri(text: string): string {
  if (text === 'auto' || isHttpUrl(text)) return text;
  throw new UsageError(`--jwks-uri is "${text}": expected "auto" or an http or https URL`);
}

/** 32 bytes of SHA-256 in hexadecimal digits, with or without colons, as tools print them. */
const FINGERPRINT = /^(?:sha-?256[:=])?\s*(?:[\da-f]{2}[:\s]?){31}[\da-f]{2}$/i;

/** `first` or a fingerprint. */
function parsePin(text: string): string {
  if (text === 'first' || FINGERPRINT.test(text.trim())) return text;
  throw new UsageError(
    `--pin-certificate is "${text}": expected 32 bytes of SHA-256 such as "AB:CD:…", or "first"`,
    'openssl x509 -noout -fingerprint -sha256 -in CERT prints the one of a certificate',
  );
}
