/** Files that hold a secret: only their owner reads them, and none is lost by writing another. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { replaceFile } from './replace-file.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/**
 * Writes a file of mode 0600; its folder is made, of mode 0700, when it is not there.
 *
 * @param file absolute path
 * @param what what messages call it, such as "key file"
 * @param options.force whether a file that is there may be replaced; it is replaced in one step. Left
 *   out by a command that has no such flag
 * @throws ProxyError `file-exists` or `key-file-not-written`
 */
export async function writePrivateFile(
  file: string,
  text: string,
  what: string,
  options: { force?: boolean } = {},
): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER }).catch(refuseFolder);
    if (options.force === true) await replaceFile(file, text, OWNER_ONLY);
    else await writeFile(file, text, { mode: OWNER_ONLY, flag: 'wx' });
  } catch (error) {
    throw refuse(file, what, options.force !== undefined, error);
  }
}

function refuse(file: string, what: string, hasForce: boolean, error: unknown): ProxyError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    return new ProxyError(
      'file-exists',
      `the ${what} ${pathInMessage(file)} is there already and was left as it is. Name another file${hasForce ? ', or replace it with --force' : ''}`,
      { cause: error },
    );
  }
  return new ProxyError(
    'key-file-not-written',
    `cannot write the ${what} ${pathInMessage(file)} (${code}): expected a folder that may be written to`,
    { cause: error },
  );
}

/** EEXIST of a folder means that a file has its name, not that there is a key. */
function refuseFolder(error: NodeJS.ErrnoException): never {
  throw error.code === 'EEXIST' ? Object.assign(error, { code: 'ENOTDIR' }) : error;
}
