import type { Command } from './command.ts';
import { type KeyArgs, keyArguments } from './key/arguments.ts';
import { checkKeyFile } from './key/check.ts';
import { generateKeyFile } from './key/generate.ts';
import { printPublicKey } from './key/public.ts';
import { rotateKey } from './key/rotate.ts';
import type { Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

const ACTIONS: ReadonlyMap<string, (args: KeyArgs, runtime: Runtime) => Promise<void>> = new Map([
  ['generate', generateKeyFile],
  ['public', printPublicKey],
  ['check', checkKeyFile],
  ['rotate', rotateKey],
]);

/** Makes, publishes and checks signing keys. */
export const keyCommand: Command<typeof keyArguments> = {
  purpose:
    'Makes the key with which the proxy proves who it is, prints its public half as a JWK Set, says what OpenEMR would stumble on in a key or a JWK Set, and replaces an old key by a new one.',
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
  words: [...ACTIONS.keys()],
  arguments: keyArguments,
  async run(args, runtime) {
    const act = ACTIONS.get(args.action ?? '');
    if (act === undefined) {
      throw new UsageError(
        `${args.action === undefined ? 'no action given' : `unknown action "${args.action}"`}: expected "generate", "public", "check" or "rotate"`,
        'Run "fhir-auth-proxy key --help" for usage',
      );
    }
    await act(args, runtime);
  },
};
