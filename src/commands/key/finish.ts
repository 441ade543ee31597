/** `key rotate --finish`: the end of a rotation. */
import { rm } from 'node:fs/promises';
import { relative } from 'node:path';

import { ProxyError } from '../../base/errors.ts';
import { openConfigEdit } from '../config-file.ts';
import type { Session } from '../session.ts';
import type { KeyArgs } from './arguments.ts';
import type { RotatingRoutes } from './rotating-routes.ts';

/** Takes the keys that are no longer used out of the published set, and off the disk when that is asked for. */
export async function finishRotation(
  { routes, configFile, keyFile, others, elsewhere }: RotatingRoutes,
  args: KeyArgs,
  { dialogue, cwd, stdout }: Session,
): Promise<void> {
  if (others.length === 0) {
    dialogue.step('nothing to finish: the key in use is the only one that is published');
  } else {
    const edit = await openConfigEdit(configFile);
    await edit.set(routes.map(({ path }) => [path('publish'), undefined]));
  }
  const deleted: string[] = [];
  for (const file of others) {
    const name = relative(cwd, file);
    const user = elsewhere(file);
    if (user !== undefined) {
      dialogue.step(`no longer published here; ${name} is kept: the route "${user}" uses it`);
    } else if (args.delete) {
      await remove(file);
      deleted.push(file);
      dialogue.step(`no longer published, and deleted: ${name}`);
    } else {
      dialogue.step(`no longer published: ${name}. Nothing needs the file any more`);
    }
  }
  if (args.json) {
    const paths = routes.map(({ config }) => config.path);
    const finished = { routes: paths, file: keyFile, unpublished: others, deleted };
    stdout.writeJson(finished);
  }
}

async function remove(file: string): Promise<void> {
  try {
    await rm(file);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ProxyError(
      'key-file-not-deleted',
      `"${file}" is no longer published, but cannot be deleted (${code}): delete it by hand`,
      { cause: error },
    );
  }
}
