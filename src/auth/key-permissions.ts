/** Whether a file with a private key is kept as `ssh` wants its keys kept. */
import { constants, type Stats } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

import { ProxyError } from '../base/errors.ts';

const GROUP_AND_OTHERS = 0o077;
const OTHERS = 0o007;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;
const WRITABLE_BY_OTHERS = 0o002;
/** In such a folder only owners rename and remove, as in `/tmp`. */
const STICKY = 0o1000;
const ROOT = 0;

/**
 * Judges a file with a private key: nobody but its owner may read it; it, its folder and a link to it
 * belong to this user or to root; and others cannot put another file in its place. What cannot be changed
 * from here (a read-only file system, such as a mounted secret) is taken with a warning; a secret of
 * root that a group of this process alone can read, as Kubernetes mounts it, without one.
 *
 * @param path absolute path, as the setting names it
 * @param stats of the opened file, not of its name, so that it cannot be swapped between check and reading
 * @param uid effective user id of this process; undefined on Windows, which has no such bits: no check
 * @returns warnings: lower-case, no full stop
 * @throws ProxyError `key-file-exposed`, `key-file-foreign` or `key-folder-exposed`
 */
export async function checkKeyFile(
  path: string,
  stats: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  uid: number | undefined,
): Promise<string[]> {
  if (uid === undefined) return [];
  const problem =
    (await findForeignLink(path, uid)) ??
    findForeignOwner(path, stats, uid) ??
    findReaders(path, stats, uid) ??
    (await findOpenFolder(path, uid));
  if (problem === undefined) return [];
  if (problem.isMountedSecret || (await isReadOnly(path))) {
    return [
      `${problem.error.message.split(': ')[0]}; as a mounted secret it is taken all the same`,
    ];
  }
  throw problem.error;
}

interface Problem {
  error: ProxyError;
  /** Whether it is how a secret of root is mounted where its reader is another user. */
  isMountedSecret?: boolean;
}

const isTrusted = (owner: number, uid: number): boolean => owner === uid || owner === ROOT;

async function findForeignLink(path: string, uid: number): Promise<Problem | undefined> {
  const link = await lstat(path);
  if (!link.isSymbolicLink() || isTrusted(link.uid, uid)) return undefined;
  return foreign(
    `the key file "${path}" is a link that belongs to another user (id ${link.uid})`,
    path,
  );
}

function findForeignOwner(
  path: string,
  { uid: owner }: Pick<Stats, 'uid'>,
  uid: number,
): Problem | undefined {
  if (isTrusted(owner, uid)) return undefined;
  return foreign(`the key file "${path}" belongs to another user (id ${owner})`, path);
}

function foreign(what: string, path: string): Problem {
  return {
    error: new ProxyError(
      'key-file-foreign',
      `${what}: expected one of yours, since its owner can replace it. Copy it: install -m 600 ${quote(path)} ${quote(`${path}.mine`)}`,
    ),
  };
}

function findReaders(
  path: string,
  { mode, uid: owner, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  uid: number,
): Problem | undefined {
  if ((mode & GROUP_AND_OTHERS) === 0) return undefined;
  const isOurs = owner === uid;
  const isGroupRead = (mode & (OTHERS | WRITABLE_BY_GROUP_OR_OTHERS)) === 0;
  if (!isOurs && isGroupRead && isOwnGroup(gid)) return undefined;
  return {
    isMountedSecret: !isOurs,
    error: new ProxyError(
      'key-file-exposed',
      `the key file "${path}" can be read by others than its owner (mode 0${(mode & 0o777).toString(8)}): expected 0600. Run: chmod 600 ${quote(path)}`,
    ),
  };
}

function isOwnGroup(gid: number): boolean {
  return process.getegid?.() === gid || process.getgroups?.().includes(gid) === true;
}

/** The folder of the file, of a link to it, and those above them: whoever may write there replaces the file. */
async function findOpenFolder(path: string, uid: number): Promise<Problem | undefined> {
  for (const start of new Set([dirname(path), dirname(await realpath(path))])) {
    for (let folder = start; ; folder = dirname(folder)) {
      const { mode, uid: owner } = await stat(folder);
      const bits = folder === start ? WRITABLE_BY_GROUP_OR_OTHERS : WRITABLE_BY_OTHERS;
      const isOpen = (mode & bits) !== 0 && (mode & STICKY) === 0;
      if (isOpen || (folder === start && !isTrusted(owner, uid)))
        return openFolder(path, folder, mode);
      if (dirname(folder) === folder) break;
    }
  }
  return undefined;
}

function openFolder(path: string, folder: string, mode: number): Problem {
  return {
    error: new ProxyError(
      'key-folder-exposed',
      `the key file "${path}" can be replaced by other users, who may write to "${folder}" (mode 0${(mode & 0o7777).toString(8)}): expected a folder of your own. Run: chmod go-w ${quote(folder)}`,
    ),
  };
}

async function isReadOnly(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** A path as a shell takes it. */
function quote(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
