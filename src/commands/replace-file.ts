/** Files that are replaced as a whole. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';

/**
 * Writes a file in one step: a reader finds the old text or the new one, never a part, also after a
 * power cut. Rejects with the system's error, and leaves what was there.
 *
 * @param mode permission bits of the new file, before the process's mask; default 0666
 */
export async function replaceFile(file: string, text: string, mode = 0o666): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  try {
    const handle = await open(fresh, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** What a command says of a file that it could not write (`file-not-written`). */
export function fileNotWritten(file: string, cause: unknown): ProxyError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  return new ProxyError(
    'file-not-written',
    `cannot write ${pathInMessage(file)} (${code}): expected a folder that may be written to`,
    { cause },
  );
}
