/** Loads the configuration for a command. */
import { type LoadedConfig, loadConfig, type LoadConfigOptions } from '../config/load.ts';
import type { ProxyConfig, RouteConfig } from '../config/schema.ts';
import type { Arguments } from './command.ts';
import { findSecretVariables } from './own-secrets.ts';
import type { Runtime } from './runtime.ts';

/** The flag of commands that run the program which prints an error log only when they are asked to. */
export const logCommandArguments = {
  'error-log-command': {
    type: 'boolean',
    default: false,
    describe: 'Run the "errorLogCommand" of the configuration too, for hints from the error log',
  },
} satisfies Arguments;

/** Which configuration is meant, and what it may do. */
export interface CommandConfigOptions extends Pick<LoadConfigOptions, 'file' | 'flags'> {
  /** Whether programs that print an error log may run; without it the configuration names none. */
  runsLogCommands: boolean;
}

/**
 * Loads a configuration; from then on children and crash reports do not get its secrets.
 *
 * @throws ConfigError
 */
export async function loadCommandConfig(
  { file, flags, runsLogCommands }: CommandConfigOptions,
  { environment, cwd, hideVariables }: Pick<Runtime, 'environment' | 'cwd' | 'hideVariables'>,
): Promise<LoadedConfig> {
  const loaded = await loadConfig({ file, flags, environment, cwd });
  const { config } = loaded;
  hideVariables(findSecretVariables(environment, config));
  return runsLogCommands ? loaded : { ...loaded, config: withoutLogCommands(config) };
}

function withoutLogCommands(config: ProxyConfig): ProxyConfig {
  const routes = config.routes.map((route): RouteConfig => {
    const { errorLogCommand: _, ...rest } = route;
    return rest;
  });
  return { ...config, routes };
}
