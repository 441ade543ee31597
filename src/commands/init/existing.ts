/** A config file that is there already: an earlier `init` to go on from, or somebody's to leave alone. */
import { guessFhirBases } from '../../auth/fhir-base.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { RouteConfig } from '../../config/schema.ts';
import type { Dialogue } from '../dialogue.ts';
import { shownPath } from '../path-from.ts';
import { assertPinned } from '../registration/certificate-consent.ts';
import { REQUEST_MS } from '../registration/server.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { InitArgs } from './arguments.ts';
import { findUnusedFlags } from './unused-flags.ts';

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

/**
 * Goes on from a config file: refuses one of another server or client, names the flags that are of no use
 * now, and compares a fingerprint that was given.
 *
 * @throws UsageError, ProxyError `certificate-not-trusted`
 */
export async function resume(
  { config, route }: LoadedConfig & { route: RouteConfig },
  args: InitArgs,
  file: string,
  dialogue: Dialogue,
  runtime: Runtime,
): Promise<void> {
  assertResumable(route, args, file, runtime);
  const shown = shownPath(runtime.cwd, file);
  dialogue.step(`going on with ${shown}\n${route.upstream}, client ${route.client?.id}`);
  const unused = findUnusedFlags(args, config, route, file, runtime);
  if (unused.length > 0) {
    dialogue.warn(
      `"${shown}" is there already: ${unused.join(', ')} ${unused.length === 1 ? 'was' : 'were'} not used; edit it, or start anew with --force`,
    );
  }
  await assertPinned(args['pin-certificate'], route.upstream, REQUEST_MS);
}

/** @throws UsageError when the configuration is not one to go on from */
function assertResumable(
  { upstream, client, path }: RouteConfig,
  args: InitArgs,
  file: string,
  { cwd }: Runtime,
): void {
  const shown = shownPath(cwd, file);
  const remedy = 'Name another file with --config, or start anew with --force';
  if (client === undefined) {
    throw new UsageError(
      `"${shown}" is there already, and its route "${path}" leads to a sandbox`,
      'Name another route of it with --path, another file with --config, or start anew with --force',
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
