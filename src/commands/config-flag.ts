import type { Argv } from 'yargs';

import { DEFAULT_CONFIG_FILE } from '../config/load.ts';

/** The flag of every command that reads a configuration. */
export interface ConfigArgs {
  config: string | undefined;
}

/** Declares {@link ConfigArgs}. */
export function configOption<Args>(yargs: Argv<Args>): Argv<Args & ConfigArgs> {
  return yargs.option('config', {
    alias: 'c',
    type: 'string',
    requiresArg: true,
    describe: `Config file; default ${DEFAULT_CONFIG_FILE} in the working directory`,
  });
}
