/** The route whose key is rotated, as its config file has it; and the end of a rotation. */
import { readFile, rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

import type { SigningKey } from '../../auth/signing-key.ts';
import { parseJsonWithComments } from '../../config/json.ts';
import { type ConfigPath, formatPath, valueAt } from '../../config/path.ts';
import type { ClientConfig, RouteConfig } from '../../config/schema.ts';
import { loadRouteKey } from '../../route-key.ts';
import { loadChosenRoute } from '../chosen-route.ts';
import type { Dialogue } from '../init/dialogue.ts';
import { EXIT, type Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import { createWarningLogger } from '../warning-logger.ts';
import type { KeyArgs } from './arguments.ts';
import { openConfigEdit } from './config-edit.ts';

/** What is to be known of it. */
export interface RotatingRoute {
  config: RouteConfig & { client: ClientConfig };
  routePath: string;
  /** Absolute path. */
  configFile: string;
  /** Absolute path of the key in use. */
  keyFile: string;
  key: SigningKey;
  /** Further key files that are published, absolute paths. */
  others: readonly string[];
  /** Where a value of the client stands in the config file. */
  path(name: 'key' | 'publish'): ConfigPath;
  /** @throws UsageError when another rotation has not been finished */
  assertNotRotating(): void;
}

/**
 * Reads the route and its key.
 * @throws UsageError when its key does not come from a file that the config file names
 */
export async function readRotatingRoute(args: KeyArgs, runtime: Runtime): Promise<RotatingRoute> {
  const { route, config, file } = await loadChosenRoute(args, runtime);
  const { client } = route;
  if (client === undefined) {
    throw new UsageError(`the route "${route.path}" has no client and so no key to rotate`);
  }
  if (file === undefined) throw notInFile('there is no config file');
  const path = (name: string): ConfigPath => [
    'routes',
    config.routes.indexOf(route),
    'client',
    name,
  ];
  const raw = parseJsonWithComments(await readFile(file, 'utf8'), file).value;
  const written = valueAt(raw, path('key'));
  if (typeof written !== 'string' || resolve(dirname(file), written) !== client.key) {
    throw notInFile(`"${formatPath(path('key'))}" of "${file}" is not the key file in use`);
  }
  if (client.keyId !== undefined) {
    throw new UsageError(
      `"${formatPath(path('keyId'))}" gives every key the same name`,
      'Take it out: each key is named by its thumbprint then',
    );
  }
  const { key } = await loadRouteKey(route.path, client, createWarningLogger(runtime));
  const others = (client.publish ?? []).filter((each) => each !== client.key);
  return {
    config: { ...route, client },
    routePath: route.path,
    configFile: file,
    keyFile: client.key,
    key,
    others,
    path,
    assertNotRotating() {
      if (others.length === 0) return;
      throw new UsageError(
        `a rotation of the route "${route.path}" is not finished: "${relative(runtime.cwd, others[0]!)}" is still published`,
        'Run "fhir-auth-proxy key rotate --finish" first',
      );
    },
  };
}

/** Takes the keys that are no longer used out of the published set, and off the disk when that is asked for. */
export async function finishRotation(
  route: RotatingRoute,
  args: KeyArgs,
  dialogue: Dialogue,
  { cwd }: Runtime,
): Promise<number> {
  if (route.others.length === 0) {
    dialogue.step('nothing to finish: the key in use is the only one that is published');
    return EXIT.ok;
  }
  const edit = await openConfigEdit(route.configFile);
  await edit.set([[route.path('publish'), undefined]]);
  for (const file of route.others) {
    const name = relative(cwd, file);
    if (args.delete) await rm(file);
    dialogue.step(
      args.delete
        ? `no longer published, and deleted: ${name}`
        : `no longer published: ${name}. Nothing needs the file any more`,
    );
  }
  return EXIT.ok;
}

function notInFile(why: string): UsageError {
  return new UsageError(
    `the key cannot be rotated: ${why}`,
    'Rotation changes "client.key" in the config file; where the key comes from the environment or is written there itself, replace it there',
  );
}
