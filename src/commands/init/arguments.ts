import type { Argv } from 'yargs';

import { DEFAULT_CONFIG_FILE } from '../../config/load.ts';
import { DEFAULT_KEY_FILE } from '../key/arguments.ts';
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

/** Arguments of `init`. */
export interface InitArgs extends RegistrationArgs {
  config: string;
  path: string;
  host: string | undefined;
  port: string | undefined;
  'client-id': string | undefined;
  'error-log': string | undefined;
  wait: string | undefined;
  force: boolean;
}

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
      default: 'fhir-auth-proxy',
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

/** Declares {@link InitArgs}. */
export function initOptions(yargs: Argv): Argv<InitArgs> {
  return registrationOptions(yargs)
    .option('client-id', {
      type: 'string',
      requiresArg: true,
      describe: 'Id of a client that is registered already; nothing is registered then',
    })
    .option('config', {
      alias: 'c',
      type: 'string',
      default: DEFAULT_CONFIG_FILE,
      requiresArg: true,
      describe: 'Config file to make',
    })
    .option('path', {
      type: 'string',
      default: '/fhir',
      requiresArg: true,
      describe: 'Path of the route on the proxy',
    })
    .option('host', {
      type: 'string',
      requiresArg: true,
      describe: 'Address for the proxy to listen on; default 127.0.0.1',
    })
    .option('port', {
      alias: 'p',
      type: 'string',
      requiresArg: true,
      describe: 'Port for the proxy to listen on; default 8088',
    })
    .option('error-log', {
      type: 'string',
      requiresArg: true,
      describe: "OpenEMR's error log, for hints",
    })
    .option('wait', {
      type: 'string',
      requiresArg: true,
      describe:
        'Seconds to wait for the client to be enabled, 0 for not at all; default on a terminal until Ctrl-C, else 300',
    })
    .option('force', {
      type: 'boolean',
      default: false,
      describe: 'Start anew and replace the config file; keys are never replaced',
    });
}

/** Scopes of a flag: separated by spaces or commas. */
export function parseScopes(text: string): string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => scope !== '');
  if (scopes.length > 0) return scopes;
  throw new UsageError('--scopes is empty: expected scopes such as "system/Patient.read"');
}

/** Seconds of `--wait`; undefined when there is no limit. */
export function parseWait(text: string | undefined, interactive: boolean): number | undefined {
  if (text === undefined) return interactive ? undefined : 300;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--wait is "${text}": expected a number of seconds, 0 or more`);
}

/** A port number of a flag. */
export function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port is "${text}": expected a number from 0 to 65535`);
}
