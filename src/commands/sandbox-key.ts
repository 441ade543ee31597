/** The private key of the ready client, when a file has it. */
import type { JWK } from 'jose';

import { readKeyText } from '../auth/key-file.ts';
import { loadSigningKey } from '../auth/signing-key.ts';
import { ProxyError } from '../base/errors.ts';
import { isThere } from './file-there.ts';

/** The key of an existing file; undefined when it has yet to be made. */
export async function readGivenKey(file: string, isNamed: boolean): Promise<JWK | undefined> {
  if (!isNamed || !(await isThere(file))) return undefined;
  const { text } = await readKeyText(file);
  const { privateKey, alg } = await loadSigningKey(text, { name: file });
  if (alg === 'RS384') return privateKey.export({ format: 'jwk' });
  throw new ProxyError(
    'key-not-rsa',
    `the key file "${file}" holds an EC key: expected an RSA key, the only kind that OpenEMR takes`,
  );
}
