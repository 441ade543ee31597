/** The route that a command is about: the one of `--route`, else the only one of the configuration. */
import type { LoadedConfig } from '../config/load.ts';
import type { ProxyConfig, RouteConfig } from '../config/schema.ts';
import type { Arguments, ParsedArguments } from './command.ts';
import { configArguments } from './config-flag.ts';
import { loadCommandConfig } from './load.ts';
import type { Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Flags of every command that is about one route. */
export const routeArguments = {
  ...configArguments,
  route: {
    alias: 'r',
    type: 'string',
    requiresArg: true,
    describe: 'Path of the route, such as /fhir; needed when there are several',
  },
} satisfies Arguments;

/** Which route is meant. */
export type RouteArgs = Pick<ParsedArguments<typeof routeArguments>, 'config' | 'route'>;

/**
 * Loads the configuration and picks the route.
 *
 * @param options.runsLogCommands default: no program that prints an error log runs
 * @throws ConfigError, UsageError
 */
export async function loadChosenRoute(
  { config: file, route }: RouteArgs,
  runtime: Runtime,
  { runsLogCommands }: { runsLogCommands: boolean } = { runsLogCommands: false },
): Promise<LoadedConfig & { route: RouteConfig }> {
  const loaded = await loadCommandConfig({ file, runsLogCommands }, runtime);
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
