import { RSA_BITS } from '../../auth/key-generation.ts';
import type { SigningAlgorithm } from '../../auth/signing-key.ts';
import { routeArguments } from '../chosen-route.ts';
import type { Arguments, ParsedArguments } from '../command.ts';
import { DEFAULT_KEY_FILE } from '../key-file.ts';
import { UsageError } from '../usage-error.ts';

/** What `key` takes. */
export const keyArguments = {
  action: {
    positional: true,
    type: 'string',
    describe: '"generate", "public", "check" or "rotate"',
  },
  file: {
    positional: true,
    type: 'string',
    describe: `generate: file to make, default ${DEFAULT_KEY_FILE}; public: private key, default that of the config, without a config ${DEFAULT_KEY_FILE}; check: file to judge; rotate: the next key, made unless it is there, default a new file beside the old one`,
  },
  alg: {
    type: 'string',
    default: 'RS384',
    requiresArg: true,
    parse: parseAlg,
    describe: 'generate: "RS384", the only one that OpenEMR takes, or "ES384"',
  },
  bits: {
    type: 'string',
    requiresArg: true,
    parse: parseBits,
    describe: `generate: length of an RSA key, ${RSA_BITS.least} to ${RSA_BITS.most}; default 3072`,
  },
  pem: {
    type: 'boolean',
    default: false,
    describe: 'generate: PKCS#8 instead of JWK; public: SubjectPublicKeyInfo instead of a JWK Set',
  },
  x509: {
    type: 'boolean',
    default: false,
    describe:
      'public: a self-signed X.509 certificate, PEM, valid for ten years, instead of a JWK Set',
  },
  against: {
    type: 'string',
    requiresArg: true,
    describe:
      'check: private key that a JWK Set must be the public half of; default that of the config',
  },
  force: {
    type: 'boolean',
    default: false,
    describe: 'generate: replace a file that is there; its key is lost',
  },
  finish: {
    type: 'boolean',
    default: false,
    describe: 'rotate: publish the key in use alone from now on',
  },
  delete: {
    type: 'boolean',
    default: false,
    describe: 'rotate --finish: delete the files of the old keys',
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'generate, check, rotate: print the result as JSON',
  },
  ...routeArguments,
} satisfies Arguments;

/** Arguments of `key`. */
export type KeyArgs = ParsedArguments<typeof keyArguments>;

function parseAlg(text: string): SigningAlgorithm {
  const alg = text.toUpperCase();
  if (alg === 'RS384' || alg === 'ES384') return alg;
  throw new UsageError(`--alg is "${text}": expected "RS384" or "ES384"`);
}

function parseBits(text: string): number {
  const bits = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (bits >= RSA_BITS.least && bits <= RSA_BITS.most) return bits;
  throw new UsageError(
    `--bits is "${text}": expected a number from ${RSA_BITS.least} to ${RSA_BITS.most}`,
  );
}
