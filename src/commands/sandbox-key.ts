/** The private key of the ready client, when a file has it. */
import { readFile } from 'node:fs/promises';

import type { JWK } from 'jose';

import { readKeyText } from '../auth/key-file.ts';
import { loadSigningKey } from '../auth/signing-key.ts';
import { ProxyError } from '../errors.ts';

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
