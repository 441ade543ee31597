/** A config file that is there already: one of an earlier `init` to go on from, or another one to leave alone. */
import { guessFhirBases } from '../../auth/fhir-base.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { RouteConfig } from '../../config/schema.ts';
import { loadCommandConfig } from '../load.ts';
import { shownPath } from '../path-from.ts';
import { assertPinned } from '../registration/certificate-consent.ts';
import { REQUEST_MS } from '../registration/server.ts';
import { UsageError } from '../usage-error.ts';
import type { InitSession } from './session.ts';
import { findUnusedFlags } from './unused-flags.ts';

/** Loads what `init` made, as `start` will. Throws ConfigError when it is not usable. */
export async function loadMade({
  file,
  args: { path },
  ...runtime
}: InitSession): Promise<LoadedConfig & { route: RouteConfig }> {
  const loaded = await loadCommandConfig({ file, runsLogCommands: false }, runtime);
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
  session: InitSession,
): Promise<void> {
  const { args, file, cwd, dialogue } = session;
  assertResumable(route, session);
  const shown = shownPath(cwd, file);
  dialogue.step(`going on with ${shown}\n${route.upstream}, client ${route.client?.id}`);
  const unused = findUnusedFlags(config, route, session);
  if (unused.length > 0) {
    dialogue.warn(
      `"${shown}" is there already: ${unused.join(', ')} ${unused.length === 1 ? 'was' : 'were'} not used; edit it, or start over with --force`,
    );
  }
  await assertPinned(args['pin-certificate'], route.upstream, REQUEST_MS);
}

/** @throws UsageError when the configuration is not one to go on from */
function assertResumable(
  { upstream, client, path }: RouteConfig,
  { args, file, cwd }: InitSession,
): void {
  const shown = shownPath(cwd, file);
  const remedy = 'Name another file with --config, or start over with --force';
  if (client === undefined) {
    throw new UsageError(
      `"${shown}" is there already, and its route "${path}" leads to a sandbox`,
      'Name another route of it with --path, another file with --config, or start over with --force',
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
