import { DEFAULT_CONFIG_FILE } from '../config/load.ts';
import type { Arguments } from './command.ts';

/** The flag of every command that reads a configuration. */
export const configArguments = {
  config: {
    alias: 'c',
    type: 'string',
    requiresArg: true,
    describe: `Config file; default ${DEFAULT_CONFIG_FILE} in the working directory`,
  },
} satisfies Arguments;
