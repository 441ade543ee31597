import { RSA_BITS } from '../auth/key-generation.ts';
import { routeOptions } from './chosen-route.ts';
import type { Command } from './command.ts';
import { DEFAULT_KEY_FILE, type KeyArgs } from './key/arguments.ts';
import { checkKeyFile } from './key/check.ts';
import { generateKeyFile } from './key/generate.ts';
import { printPublicKey } from './key/public.ts';
import { UsageError } from './usage-error.ts';

/** Makes, publishes and checks signing keys. */
export const keyCommand: Command<KeyArgs> = {
  purpose:
    'Makes the key that the proxy proves itself with, prints its public half as a JWK Set, and tells what OpenEMR would stumble on in a key or a JWK Set.',
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
  ],
  words: ['generate', 'public', 'check'],
  options: (yargs) =>
    routeOptions(
      yargs
        .positional('action', {
          type: 'string',
          describe: '"generate", "public" or "check"',
        })
        .positional('file', {
          type: 'string',
          describe: `generate: file to make, default ${DEFAULT_KEY_FILE}; public: private key, default that of the config; check: file to judge`,
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
            'generate: PKCS#8 instead of JWK; public: X.509 SubjectPublicKeyInfo instead of a JWK Set',
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
        .option('json', {
          type: 'boolean',
          default: false,
          describe: 'generate, check: tell the result as JSON',
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
      default: {
        throw new UsageError(
          `${args.action === undefined ? 'no action given' : `unknown action "${args.action}"`}: expected "generate", "public" or "check"`,
          'Run "fhir-auth-proxy key --help" for usage',
        );
      }
    }
  },
};
