/** The route that a command is about: the one of `--route`, else the only one, of the configuration. */
import type { Argv } from 'yargs';

import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { ProxyConfig, RouteConfig } from '../config/schema.ts';
import { type ConfigArgs, configOption } from './config-flag.ts';
import type { Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Flags of every command that is about one route. */
export interface RouteArgs extends ConfigArgs {
  route: string | undefined;
}

/** Declares {@link RouteArgs}. */
export function routeOptions<Args>(yargs: Argv<Args>): Argv<Args & RouteArgs> {
  return configOption(yargs).option('route', {
    alias: 'r',
    type: 'string',
    requiresArg: true,
    describe: 'Path of the route, such as /fhir; needed when there are several',
  });
}

/** Loads the configuration as `start` does and picks the route. Throws ConfigError or UsageError. */
export async function loadChosenRoute(
  { config: file, route }: RouteArgs,
  runtime: Runtime,
): Promise<LoadedConfig & { route: RouteConfig }> {
  const { environment, cwd } = runtime;
  const loaded = await loadConfig({ file, environment, cwd });
  return { ...loaded, route: chooseRoute(loaded.config, route) };
}

function chooseRoute(config: ProxyConfig, path: string | undefined): RouteConfig {
  if (path !== undefined) return findRoute(config, path);
  const [only, another] = config.routes;
  if (only !== undefined && another === undefined) return only;
  throw new UsageError(
    `--route is missing: the configuration has ${listPaths(config)}`,
    'Name one of them',
  );
}

/** The route of a path, which may lack its first slash. Throws UsageError that names those there are. */
export function findRoute(config: ProxyConfig, path: string): RouteConfig {
  const found = config.routes.find((route) => route.path === path || route.path === `/${path}`);
  if (found !== undefined) return found;
  throw new UsageError(`--route is "${path}": expected ${listPaths(config)}`);
}

function listPaths({ routes }: ProxyConfig): string {
  return routes.map(({ path }) => `"${path}"`).join(', ');
}
