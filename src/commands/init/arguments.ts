import { isHttpUrl } from '../../config/http-url.ts';
import { DEFAULT_CONFIG_FILE } from '../../config/load.ts';
import { pathSchema } from '../../config/schema.ts';
import type { Arguments, ParsedArguments } from '../command.ts';
import { parsePort } from '../port-flag.ts';
import { registrationArguments } from '../registration/arguments.ts';
import { UsageError } from '../usage-error.ts';

/** Path of the route unless another is given. */
export const DEFAULT_PATH = '/fhir';

/** What `init` takes. */
export const initArguments = {
  ...registrationArguments,
  'client-id': {
    type: 'string',
    requiresArg: true,
    parse: parseClientId,
    describe: 'Id of a client that is registered already; nothing is registered then',
  },
  'token-endpoint': {
    type: 'string',
    requiresArg: true,
    parse: parseTokenEndpoint,
    describe:
      'Token endpoint, where tokens are not issued at the address of the FHIR API; an announced one is asked about',
  },
  config: {
    alias: 'c',
    type: 'string',
    default: DEFAULT_CONFIG_FILE,
    requiresArg: true,
    describe: 'Config file to make',
  },
  path: {
    type: 'string',
    default: DEFAULT_PATH,
    requiresArg: true,
    parse: parsePath,
    describe: 'Path of the route on the proxy',
  },
  host: {
    type: 'string',
    requiresArg: true,
    describe: 'Address for the proxy to listen on; default 127.0.0.1',
  },
  port: {
    alias: 'p',
    type: 'string',
    requiresArg: true,
    parse: parsePort,
    describe: 'Port for the proxy to listen on; default 8088',
  },
  'error-log': {
    type: 'string',
    requiresArg: true,
    describe: "OpenEMR's error log, for hints",
  },
  wait: {
    type: 'string',
    requiresArg: true,
    parse: parseWait,
    describe:
      'Seconds to wait for the client to be enabled, 0 for not at all; default on a terminal until Ctrl-C, else 300',
  },
  force: {
    type: 'boolean',
    default: false,
    describe: 'Start over and replace the config file; keys are never replaced',
  },
} satisfies Arguments;

/** Arguments of `init`. */
export type InitArgs = ParsedArguments<typeof initArguments>;

function parseTokenEndpoint(text: string): string {
  if (isHttpUrl(text)) return text;
  throw new UsageError(`--token-endpoint is "${text}": expected an http or https URL`);
}

function parseWait(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--wait is "${text}": expected a number of seconds, 0 or more`);
}

function parsePath(text: string): string {
  const [issue] = pathSchema.safeParse(text).error?.issues ?? [];
  if (issue === undefined) return text;
  throw new UsageError(`--path is "${text}": ${issue.message}`);
}

function parseClientId(text: string): string {
  if (/^\S+$/.test(text.trim())) return text;
  throw new UsageError(`--client-id is "${text}": expected an id without spaces`);
}
