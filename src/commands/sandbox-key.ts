/** The file of the ready client's private key. */
import { readFile, writeFile } from 'node:fs/promises';

import type { JWK } from 'jose';

import { readKeyText } from '../auth/key-file.ts';
import { loadSigningKey } from '../auth/signing-key.ts';
import { ProxyError } from '../errors.ts';

const OWNER_ONLY = 0o600;

/** The key of a file that is there; undefined when it is to be made. */
export async function readGivenKey(file: string, isNamed: boolean): Promise<JWK | undefined> {
  if (!isNamed) return undefined;
  try {
    await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  }
  const { text } = await readKeyText(file);
  const { privateKey, alg } = await loadSigningKey(text, { name: file });
  if (alg === 'RS384') return privateKey.export({ format: 'jwk' });
  throw new ProxyError(
    'key-not-rsa',
    `the key file "${file}" holds an EC key: expected an RSA key, the only kind that OpenEMR takes`,
  );
}

/** Writes a key that only the owner of the file can read; never over a file that is there. */
export async function writeKey(file: string, key: JWK): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(key)}\n`, { mode: OWNER_ONLY, flag: 'wx' });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ProxyError(
      'key-file-not-written',
      `cannot write the key file "${file}" (${code}): expected a folder that is there and may be written to`,
      { cause: error },
    );
  }
}
