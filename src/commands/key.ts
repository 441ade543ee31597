import { RSA_BITS } from '../auth/key-generation.ts';
import { routeOptions } from './chosen-route.ts';
import type { Command } from './command.ts';
import { DEFAULT_KEY_FILE } from './key-file.ts';
import type { KeyArgs } from './key/arguments.ts';
import { checkKeyFile } from './key/check.ts';
import { generateKeyFile } from './key/generate.ts';
import { printPublicKey } from './key/public.ts';
import { rotateKey } from './key/rotate.ts';
import { UsageError } from './usage-error.ts';

/** Makes, publishes and checks signing keys. */
export const keyCommand: Command<KeyArgs> = {
  purpose:
    'Makes the key that the proxy proves itself with, prints its public half as a JWK Set, tells what OpenEMR would stumble on in a key or a JWK Set, and puts a new key in the place of an old one.',
  examples: [
    { task: 'Make a key', command: 'fhir-auth-proxy key generate' },
    {
      task: 'Print what the server may know of it: the JWK Set to register or to publish',
      command: 'fhir-auth-proxy key public keys/private.jwk.json > jwks.json',
    },
    { task: 'See what is wrong with a JWK Set', command: 'fhir-auth-proxy key check jwks.json' },
    {
      task: 'See whether a JWK Set is the one of a private key',
      command: 'fhir-auth-proxy key check jwks.json --against keys/private.jwk.json',
    },
    {
      task: 'Change the key of a client whose server fetches the keys from the proxy (jwks_uri)',
      command: 'fhir-auth-proxy key rotate',
    },
    {
      task: 'Stop publishing the old key, and delete it',
      command: 'fhir-auth-proxy key rotate --finish --delete',
    },
  ],
  words: ['generate', 'public', 'check', 'rotate'],
  options: (yargs) =>
    routeOptions(
      yargs
        .positional('action', {
          type: 'string',
          describe: '"generate", "public", "check" or "rotate"',
        })
        .positional('file', {
          type: 'string',
          describe: `generate: file to make, default ${DEFAULT_KEY_FILE}; public: private key, default that of the config, without a config ${DEFAULT_KEY_FILE}; check: file to judge; rotate: the next key, made unless it is there, default a new file beside the old one`,
        })
        .option('alg', {
          type: 'string',
          default: 'RS384',
          requiresArg: true,
          describe: 'generate: "RS384", the only one that OpenEMR takes, or "ES384"',
        })
        .option('bits', {
          type: 'string',
          requiresArg: true,
          describe: `generate: length of an RSA key, ${RSA_BITS.least} to ${RSA_BITS.most}; default 3072`,
        })
        .option('pem', {
          type: 'boolean',
          default: false,
          describe:
            'generate: PKCS#8 instead of JWK; public: SubjectPublicKeyInfo instead of a JWK Set',
        })
        .option('x509', {
          type: 'boolean',
          default: false,
          describe:
            'public: a self-signed X.509 certificate, PEM, valid for ten years, instead of a JWK Set',
        })
        .option('against', {
          type: 'string',
          requiresArg: true,
          describe:
            'check: private key that a JWK Set must be the public half of; default that of the config',
        })
        .option('force', {
          type: 'boolean',
          default: false,
          describe: 'generate: replace a file that is there; its key is lost',
        })
        .option('finish', {
          type: 'boolean',
          default: false,
          describe: 'rotate: publish the key in use alone from now on',
        })
        .option('delete', {
          type: 'boolean',
          default: false,
          describe: 'rotate --finish: delete the files of the old keys',
        })
        .option('json', {
          type: 'boolean',
          default: false,
          describe: 'generate, check, rotate: tell the result as JSON',
        }),
    ),
  async run(args, runtime) {
    switch (args.action) {
      case 'generate':
        return generateKeyFile(args, runtime);
      case 'public':
        return printPublicKey(args, runtime);
      case 'check':
        return checkKeyFile(args, runtime);
      case 'rotate':
        return rotateKey(args, runtime);
      default: {
        throw new UsageError(
          `${args.action === undefined ? 'no action given' : `unknown action "${args.action}"`}: expected "generate", "public", "check" or "rotate"`,
          'Run "fhir-auth-proxy key --help" for usage',
        );
      }
    }
  },
};
