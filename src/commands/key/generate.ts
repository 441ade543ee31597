/** `key generate`. */
import { resolve } from 'node:path';

import { generateSigningKey, RSA_BITS } from '../../auth/key-generation.ts';
import type { SigningAlgorithm } from '../../auth/signing-key.ts';
import { DEFAULT_KEY_FILE, DEFAULT_PEM_FILE, formatKey } from '../key-file.ts';
import { pathFrom } from '../path-from.ts';
import { writePrivateFile } from '../private-file.ts';
import { EXIT, type Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';

/** Makes a private key file. */
export async function generateKeyFile(args: KeyArgs, { cwd, stdout }: Runtime): Promise<number> {
  const alg = parseAlg(args.alg);
  const bits = parseBits(args.bits, alg);
  const file = resolve(cwd, args.file ?? (args.pem ? DEFAULT_PEM_FILE : DEFAULT_KEY_FILE));
  const key = await generateSigningKey(alg, bits);
  const text = formatKey(key, args.pem ? 'pem' : 'jwk');
  await writePrivateFile(file, text, 'key file', { force: args.force });
  const { kid } = key;
  const size = key.bits === undefined ? {} : { bits: key.bits };
  if (args.json) {
    stdout.write(`${JSON.stringify({ file, alg, ...size, kid })}\n`);
    return EXIT.ok;
  }
  const shown = pathFrom(cwd, file);
  stdout.write(
    `made a private key for ${alg}${key.bits === undefined ? '' : `, RSA of ${key.bits} bits`}\n` +
      `  file  ${shown} (mode 0600: only you can read it)\n` +
      `  kid   ${kid}\n` +
      `Its public half, for the server: fhir-auth-proxy key public ${shown}\n`,
  );
  return EXIT.ok;
}

function parseAlg(text: string): SigningAlgorithm {
  const alg = text.toUpperCase();
  if (alg === 'RS384' || alg === 'ES384') return alg;
  throw new UsageError(`--alg is "${text}": expected "RS384" or "ES384"`);
}

function parseBits(text: string | undefined, alg: SigningAlgorithm): number | undefined {
  if (text === undefined) return undefined;
  const bits = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (alg === 'ES384') throw new UsageError('--bits goes with RS384 only: an ES384 key has 384');
  if (bits >= RSA_BITS.least && bits <= RSA_BITS.most) return bits;
  throw new UsageError(
    `--bits is "${text}": expected a number from ${RSA_BITS.least} to ${RSA_BITS.most}`,
  );
}
