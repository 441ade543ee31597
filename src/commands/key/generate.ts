/** `key generate`. */
import { resolve } from 'node:path';

import { generateSigningKey } from '../../auth/key-generation.ts';
import { DEFAULT_KEY_FILE, DEFAULT_PEM_FILE, formatKey } from '../key-file.ts';
import { pathFrom } from '../path-from.ts';
import { writePrivateFile } from '../private-file.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';

/** Makes a private key file. */
export async function generateKeyFile(args: KeyArgs, { cwd, stdout }: Runtime): Promise<void> {
  const { alg, bits } = args;
  if (alg === 'ES384' && bits !== undefined) {
    throw new UsageError('--bits goes with RS384 only: an ES384 key has 384');
  }
  const file = resolve(cwd, args.file ?? (args.pem ? DEFAULT_PEM_FILE : DEFAULT_KEY_FILE));
  const key = await generateSigningKey(alg, bits);
  const text = formatKey(key, args.pem ? 'pem' : 'jwk');
  await writePrivateFile(file, text, 'key file', { force: args.force });
  const { kid } = key;
  if (args.json) {
    stdout.writeJson({ file, alg, bits: key.bits, kid });
    return;
  }
  const shown = pathFrom(cwd, file);
  stdout.write(
    `made a private key for ${alg}${key.bits === undefined ? '' : `, RSA of ${key.bits} bits`}\n` +
      `  file  ${shown} (mode 0600: only you can read it)\n` +
      `  kid   ${kid}\n` +
      `Its public half, for the server: fhir-auth-proxy key public ${shown}\n`,
  );
}
