/** The routes whose key is rotated, as their config file has them. */
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

import type { SigningKey } from '../../auth/signing-key.ts';
import { parseJsonWithComments } from '../../config/json.ts';
import { type ConfigPath, formatPath, valueAt } from '../../config/path.ts';
import type { ClientConfig, ProxyConfig, RouteConfig } from '../../config/schema.ts';
import { loadRouteKey } from '../../routes/route-key.ts';
import { loadChosenRoute } from '../chosen-route.ts';
import { createWarningLogger } from '../loggers.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';

/** One of them. */
export interface RotatingRoute {
  config: RouteConfig & { client: ClientConfig };
  /** Where a value of its client stands in the config file. */
  path: (name: 'key' | 'publish') => ConfigPath;
}

/** The chosen route, and every other one with the same key file: a server that reads one key of the set reads it for all. */
export interface RotatingRoutes {
  routes: readonly RotatingRoute[];
  /** Absolute path. */
  configFile: string;
  /** Absolute path of the key in use. */
  keyFile: string;
  key: SigningKey;
  /** Further key files that are published, absolute paths. */
  others: readonly string[];
  /** Whether the key in use is published in the first place, as it is but in the middle of a rotation. */
  isKeyFirst: boolean;
  /** The path of another route whose client names this key file. */
  elsewhere: (file: string) => string | undefined;
}

/**
 * Reads the routes and their key.
 * @throws UsageError when the key does not come from a file that the config file names
 */
export async function readRotatingRoutes(args: KeyArgs, runtime: Runtime): Promise<RotatingRoutes> {
  const { route, config, file } = await loadChosenRoute(args, runtime);
  const { client } = route;
  if (client === undefined) {
    throw new UsageError(`the route "${route.path}" has no client and so no key to rotate`);
  }
  if (file === undefined) throw notInFile('there is no config file');
  const routes = routesWithKey(config, client.key);
  const raw = parseJsonWithComments(await readFile(file, 'utf8'), file).value;
  for (const each of routes) assertFromFile(each, raw, file);
  const { key } = await loadRouteKey(route.path, client, createWarningLogger(runtime));
  const published = routes.map(({ config }) => config.client.publish);
  return {
    routes,
    configFile: file,
    keyFile: client.key,
    key,
    others: [...new Set(published.flatMap((files) => files ?? []))].filter(
      (each) => each !== client.key,
    ),
    isKeyFirst: published.every((files) => files === undefined || files[0] === client.key),
    elsewhere: (name) =>
      config.routes.find(
        (each) =>
          each.client?.key !== client.key &&
          (each.client?.key === name || each.client?.publish?.includes(name) === true),
      )?.path,
  };
}

/** Refuses to begin another rotation before the last one has ended; `next` is the key to go on with. */
export function assertNotRotating(
  { others, routes }: RotatingRoutes,
  next: string | undefined,
  { cwd }: Runtime,
): void {
  const [first] = others;
  if (first === undefined || (others.length === 1 && first === next)) return;
  const name = relative(cwd, first);
  throw new UsageError(
    `a rotation of the route "${routes[0]?.config.path}" is not finished: "${name}" is still published`,
    `Run "fhir-auth-proxy key rotate --finish" first, or go on with "fhir-auth-proxy key rotate ${name}"`,
  );
}

function routesWithKey({ routes }: ProxyConfig, key: string): RotatingRoute[] {
  return routes.flatMap((config, index) => {
    const { client } = config;
    if (client?.key !== key) return [];
    const path = (name: string): ConfigPath => ['routes', index, 'client', name];
    return [{ config: { ...config, client }, path }];
  });
}

/** What the environment says would stay, whatever is written into the file. */
function assertFromFile(
  { config: { client }, path }: RotatingRoute,
  raw: unknown,
  file: string,
): void {
  const folder = dirname(file);
  const key = valueAt(raw, path('key'));
  if (typeof key !== 'string' || resolve(folder, key) !== client.key) {
    throw notInFile(`"${formatPath(path('key'))}" of "${file}" is not the key file in use`);
  }
  const publish = valueAt(raw, path('publish')) ?? [];
  const files = Array.isArray(publish) ? publish.map((each) => resolve(folder, String(each))) : [];
  if (files.join('\n') !== (client.publish ?? []).join('\n')) {
    throw notInFile(`"${formatPath(path('publish'))}" of "${file}" is not what is published`);
  }
  if (client.keyId === undefined) return;
  throw new UsageError(
    `"${formatPath([...path('key').slice(0, -1), 'keyId'])}" gives every key the same name`,
    'Take it out: each key is named by its thumbprint then',
  );
}

function notInFile(why: string): UsageError {
  return new UsageError(
    `the key cannot be rotated: ${why}`,
    'Rotation changes "client.key" and "client.publish" in the config file; a key that comes from the environment, or stands in the file itself, has to be replaced by hand',
  );
}
