/** Key files that commands make. */
import { type GeneratedKey, generateSigningKey } from '../auth/key-generation.ts';
import type { SigningAlgorithm } from '../auth/signing-key.ts';
import { isThere } from './file-there.ts';
import { writePrivateFile } from './private-file.ts';

/** Where `init` and `key generate` put a key when nothing else is said; relative to the working directory. */
export const DEFAULT_KEY_FILE = 'keys/private.jwk.json';
/** The same with `--pem`. */
export const DEFAULT_PEM_FILE = 'keys/private.pem';

/** The text of a key file: PKCS#8, or a private JWK. */
export function formatKey({ jwk, pem }: GeneratedKey, form: 'pem' | 'jwk'): string {
  return form === 'pem' ? pem : `${JSON.stringify(jwk, null, 2)}\n`;
}

/**
 * Makes a key file unless it is there: PEM where its name ends so, else a JWK. Never changes one that is.
 *
 * @param file absolute path
 * @returns whether it was made
 * @throws ProxyError `file-exists` or `key-file-not-written`
 */
export async function makeMissingKeyFile(file: string, alg: SigningAlgorithm): Promise<boolean> {
  if (await isThere(file)) return false;
  const key = await generateSigningKey(alg);
  await writePrivateFile(file, formatKey(key, file.endsWith('.pem') ? 'pem' : 'jwk'), 'key file');
  return true;
}
