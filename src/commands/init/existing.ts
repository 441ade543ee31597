/** A config file that is there already: an earlier `init` to go on from, or somebody's to leave alone. */
import { relative } from 'node:path';

import { guessFhirBases } from '../../auth/fhir-base.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { RouteConfig } from '../../config/schema.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { InitArgs } from './arguments.ts';

/** Loads what `init` made, as `start` will. Throws ConfigError when it is not usable. */
export async function loadMade(
  file: string,
  { path }: Pick<InitArgs, 'path'>,
  { environment, cwd }: Runtime,
): Promise<LoadedConfig & { route: RouteConfig }> {
  const loaded = await loadConfig({ file, environment, cwd });
  const { routes } = loaded.config;
  const route = routes.find((each) => each.path === path) ?? routes[0];
  if (route === undefined) throw new TypeError('a configuration without routes');
  return { ...loaded, route };
}

/** @throws UsageError when the configuration is not one to go on from */
export function assertResumable(
  { upstream, client, path }: RouteConfig,
  args: InitArgs,
  file: string,
  { cwd }: Runtime,
): void {
  const shown = relative(cwd, file) || file;
  const remedy = 'Name another file with --config, or start anew with --force';
  if (client === undefined) {
    throw new UsageError(
      `"${shown}" is there already, and its route "${path}" leads to a sandbox`,
      remedy,
    );
  }
  const base = upstream.replace(/\/+$/, '');
  if (args.url !== undefined && !guessFhirBases(args.url, args.site).includes(base)) {
    throw new UsageError(`"${shown}" is there already and leads to ${upstream}`, remedy);
  }
  const clientId = args['client-id'];
  if (clientId !== undefined && clientId !== client.id) {
    throw new UsageError(`"${shown}" is there already, with the client id "${client.id}"`, remedy);
  }
}
