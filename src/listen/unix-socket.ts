/** Listening on a Unix socket that only its owner can use. */
import type { Stats } from 'node:fs';
import { chmod, lstat, mkdtemp, rename, rmdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';

import { ConfigError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';

const OWNER_ONLY = 0o600;
/** `sun_path` holds 104 bytes on BSD and macOS, 108 on Linux, the final NUL included. */
const LONGEST_PATH_BYTES = 103;

/**
 * Makes a server listen on a Unix socket. It is bound inside a folder that its owner alone can enter and
 * moved to its place once its mode is 0600, so that there is no moment in which others could connect.
 *
 * A socket that is there already is replaced, unless a program answers on it.
 *
 * @returns a function that removes the socket, if it is still this one; for after the server's end
 * @throws ConfigError when the path cannot be used
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => Promise<void>> {
  if (platform() === 'win32') {
    throw problem(
      'a socket file cannot be used on Windows, where anyone could connect to it',
      'Use "listen.port", with "listen.apiKey" on a machine that others use, too',
    );
  }
  await assertFree(path);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(dirname(path), '.s'));
    const hidden = join(folder, 's');
    assertLength(Math.max(Buffer.byteLength(path), Buffer.byteLength(hidden)), path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(hidden, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(hidden, OWNER_ONLY);
    const { ino, dev } = await lstat(hidden);
    await rename(hidden, path);
    return () => removeSocket(path, { ino, dev });
  } catch (error) {
    throw error instanceof ConfigError ? error : refuse(path, error as NodeJS.ErrnoException);
  } finally {
    if (folder !== undefined) await rmdir(folder).catch(() => undefined);
  }
}

async function assertFree(path: string): Promise<void> {
  let found: Stats;
  try {
    found = await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw refuse(path, error as NodeJS.ErrnoException);
  }
  if (!found.isSocket()) {
    throw problem(
      `${pathInMessage(path)} is there already and is no socket`,
      'Choose another path',
    );
  }
  if (await isAnswered(path)) {
    throw problem(
      `${pathInMessage(path)} is in use by another program`,
      'Stop that program, or choose another path',
    );
  }
}

/** Only a refused connection proves that no program listens any more. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

/** Another proxy may have taken the place over meanwhile; its socket stays. */
async function removeSocket(path: string, own: Pick<Stats, 'ino' | 'dev'>): Promise<void> {
  try {
    const { ino, dev } = await lstat(path);
    if (ino === own.ino && dev === own.dev) await unlink(path);
  } catch {
    // Gone already.
  }
}

function assertLength(bytes: number, path: string): void {
  if (bytes <= LONGEST_PATH_BYTES) return;
  throw problem(
    `${pathInMessage(path)} is too long for a socket: expected at most ${LONGEST_PATH_BYTES} bytes, with room for a folder beside it`,
    'Choose a shorter path, such as one below /run or /tmp',
  );
}

function refuse(path: string, error: NodeJS.ErrnoException): ConfigError {
  const { code = 'unknown' } = error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return problem(
      `the folder of ${pathInMessage(path)} does not exist`,
      'Make it, or choose another path',
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return problem(
      `no socket may be made in the folder of ${pathInMessage(path)} by this user`,
      'Choose a path in a folder of your own',
    );
  }
  return problem(`cannot listen on ${pathInMessage(path)} (${code})`, 'Choose another path');
}

function problem(message: string, remedy: string): ConfigError {
  return new ConfigError([{ path: 'listen.socket', message, remedy }]);
}
