/** The signing key of a new client: the one that is there, else a new one. */
import { resolve } from 'node:path';

import { readKeyText } from '../../auth/key-file.ts';
import { loadSigningKey, type SigningKey } from '../../auth/signing-key.ts';
import { ProxyError } from '../../base/errors.ts';
import { pathInMessage } from '../../config/path-in-message.ts';
import type { Dialogue } from '../dialogue.ts';
import { DEFAULT_KEY_FILE, makeMissingKeyFile } from '../key-file.ts';
import { shownPath } from '../path-from.ts';
import { UsageError } from '../usage-error.ts';
import type { ReachedServer } from './server.ts';
import type { RegistrationSession } from './session.ts';

/** A key and where it is. */
export interface FiledKey {
  key: SigningKey;
  /** Absolute path. */
  file: string;
  /** Whether it was made just now. */
  made: boolean;
}

/**
 * Loads the key file, or makes it when it is not there; never changes one that is.
 *
 * The file is that of `--key`, relative to the working directory, else `keys/private.jwk.json` in the session's folder.
 *
 * @throws UsageError when the server is an OpenEMR and the key is not for RS384
 */
export async function provideKey(
  { description }: Pick<ReachedServer, 'description'>,
  { args: { key: path }, folder, dialogue, cwd }: RegistrationSession,
): Promise<FiledKey> {
  const file = path === undefined ? resolve(folder, DEFAULT_KEY_FILE) : resolve(cwd, path);
  const { made, key } = await loadOrMake(file, path, dialogue);
  if (key.alg !== 'RS384' && description.pages !== undefined) {
    throw new UsageError(
      `--key: ${pathInMessage(file)} is a key for ${key.alg}, and OpenEMR takes RS384 only: such a client could never log in`,
      'Name an RSA key, or a file that is not there yet: it is made',
    );
  }
  dialogue.step(
    `${made ? 'made a key' : 'took the key that is there'}: ${shownPath(cwd, file)}\n${key.alg}, kid ${key.kid}`,
  );
  return { key, file, made };
}

async function loadOrMake(
  file: string,
  flag: string | undefined,
  dialogue: Dialogue,
): Promise<{ made: boolean; key: SigningKey }> {
  try {
    const made = await makeMissingKeyFile(file, 'RS384');
    const { text, warnings } = await readKeyText(file);
    for (const warning of warnings) dialogue.warn(warning);
    return { made, key: await loadSigningKey(text, { name: file }) };
  } catch (error) {
    if (flag === undefined || !(error instanceof ProxyError)) throw error;
    throw new UsageError(`--key: ${error.message}`, undefined, { cause: error });
  }
}
