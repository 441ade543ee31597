import type { Argv } from 'yargs';

import { DEFAULT_KEY_FILE } from '../key-file.ts';
import { UsageError } from '../usage-error.ts';

/** What `init` and `register` both need to know. */
export interface RegistrationArgs {
  url: string | undefined;
  site: string | undefined;
  key: string | undefined;
  scopes: string | undefined;
  write: boolean;
  'client-name': string;
  contact: string | undefined;
  'jwks-uri': string | undefined;
  'pin-certificate': string | undefined;
  ca: string | undefined;
  json: boolean;
}

/** Name of a client that is given no other. */
export const DEFAULT_CLIENT_NAME = 'fhir-auth-proxy';

/** Declares {@link RegistrationArgs}. */
export function registrationOptions<Args>(yargs: Argv<Args>): Argv<Args & RegistrationArgs> {
  return yargs
    .positional('url', {
      type: 'string',
      describe: 'Any address of the server: its root, login page, FHIR base or token endpoint',
    })
    .option('scopes', {
      alias: 's',
      type: 'string',
      requiresArg: true,
      describe:
        'Scopes to ask for, separated by spaces, such as "system/Patient.read"; "system/*.read" is every type',
    })
    .option('write', {
      type: 'boolean',
      default: false,
      describe: 'Offer scopes that change data as well',
    })
    .option('key', {
      type: 'string',
      requiresArg: true,
      describe: `Private key file, JWK or PEM; made when it is not there; default ${DEFAULT_KEY_FILE}`,
    })
    .option('jwks-uri', {
      type: 'string',
      requiresArg: true,
      describe:
        'Register the address of the public keys instead of the keys: a URL, or "auto" for the one of this proxy',
    })
    .option('pin-certificate', {
      type: 'string',
      requiresArg: true,
      describe:
        'Trust the certificate with this SHA-256 fingerprint; "first" trusts whatever the server shows now',
    })
    .option('ca', {
      type: 'string',
      requiresArg: true,
      describe: 'PEM file of the certificate, or of its authority, to trust',
    })
    .option('site', {
      type: 'string',
      requiresArg: true,
      describe: 'Site of OpenEMR; default that of the URL, else "default"',
    })
    .option('client-name', {
      type: 'string',
      default: DEFAULT_CLIENT_NAME,
      requiresArg: true,
      describe: 'Name that administrators see',
    })
    .option('contact', {
      type: 'string',
      requiresArg: true,
      describe: 'Mail address that administrators see',
    })
    .option('json', {
      type: 'boolean',
      default: false,
      describe: 'Tell what was made as JSON on standard output',
    });
}

/** Scopes of a flag: separated by spaces or commas. */
export function parseScopes(text: string): string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => scope !== '');
  if (scopes.length > 0) return scopes;
  throw new UsageError('--scopes is empty: expected scopes such as "system/Patient.read"');
}
