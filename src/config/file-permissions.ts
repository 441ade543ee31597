/** Whether others can change a config file, which may name programs to run and addresses to send secrets to. */
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';

import type { ConfigProblem } from '../base/errors.ts';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
/** In such a folder only owners rename and remove, as in `/tmp`. */
const STICKY = 0o1000;

/**
 * What is wrong with the permissions of a config file or of its folder: everyone, or a group with other
 * members, can write there. A group of this user alone, as many systems give to each user, is no fault.
 * Windows has no such bits: nothing is wrong there.
 *
 * @param file absolute path
 */
export async function findOpenPermissions(file: string): Promise<ConfigProblem | undefined> {
  if (process.geteuid === undefined) return undefined;
  for (const path of [file, dirname(file)]) {
    const stats = await stat(path);
    const isSticky = path !== file && (stats.mode & STICKY) !== 0;
    const who = isSticky ? undefined : await writers(stats);
    if (who === undefined) continue;
    return {
      path: file,
      message: `${who} can write to "${path}" (mode 0${(stats.mode & 0o7777).toString(8)}), and a config file may run programs`,
      remedy: `Run: chmod ${who === 'everyone' ? 'o-w' : 'g-w'} ${JSON.stringify(path)}`,
    };
  }
  return undefined;
}

async function writers({ mode, gid }: Stats): Promise<string | undefined> {
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return 'everyone';
  if ((mode & WRITABLE_BY_GROUP) === 0 || (await isOwnGroup(gid))) return undefined;
  return 'a group with other members';
}

/** Whether this user, and root, are alone in a group, as far as the files of this machine say. */
async function isOwnGroup(gid: number): Promise<boolean> {
  if (gid === 0) return true;
  const name = userName();
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const line = groups.split('\n').find((each) => each.split(':')[2] === String(gid));
  // A group without an entry has no members but by number, as in a container.
  if (line === undefined) return gid === process.getegid?.();
  const [group, , , members = ''] = line.split(':');
  const others = members.split(',').filter((member) => member !== '' && member !== name);
  const isPrivate = group === name || gid === process.getegid?.();
  return isPrivate && others.length === 0;
}

/** Undefined for a user id without an entry, as in a container. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
