import type { Argv } from 'yargs';

import { DEFAULT_CONFIG_FILE } from '../../config/load.ts';
import { type RegistrationArgs, registrationOptions } from '../registration/arguments.ts';
import { UsageError } from '../usage-error.ts';

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

/** Path of the route unless another is given. */
export const DEFAULT_PATH = '/fhir';

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
      default: DEFAULT_PATH,
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

/** Seconds of `--wait`; undefined when there is no limit. */
export function parseWait(text: string | undefined, interactive: boolean): number | undefined {
  if (text === undefined) return interactive ? undefined : 300;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--wait is "${text}": expected a number of seconds, 0 or more`);
}
