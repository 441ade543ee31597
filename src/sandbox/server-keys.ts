/** The key pair with which the sandbox signs and checks access tokens (OpenEMR's oaprivate.key and oapublic.key). */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);
const MODULUS_BITS = 2048;

/** Keys of the authorization server. */
export interface ServerKeys {
  /** Signs access tokens. */
  privateKey(): Promise<KeyObject>;
  /** Checks access tokens; another pair's key while `mismatched` is true. */
  publicKey(mismatched: boolean): Promise<KeyObject>;
  /** Whether the files are there and readable; changed by tests of a broken installation. */
  state: { publicKeyMissing: boolean; privateKeyUnreadable: boolean };
  /** Throws the pair away; the next use makes a new one, with both of its files. */
  regenerate(): void;
}

type Pair = ReturnType<typeof generatePair>;

// A pair costs a sixth of a second: all sandboxes of a process start with the same ones, as if their
// servers had been installed from one image.
let first: Pair | undefined;
let other: Pair | undefined;

/** Makes no key before one is asked for. */
export function createServerKeys(): ServerKeys {
  let own: Pair | undefined;
  let make = (): Pair => (first ??= generatePair());
  const pair = () => (own ??= make());
  return {
    async privateKey() {
      return (await pair()).privateKey;
    },
    async publicKey(mismatched) {
      if (!mismatched) return (await pair()).publicKey;
      return (await (other ??= generatePair())).publicKey;
    },
    state: { publicKeyMissing: false, privateKeyUnreadable: false },
    regenerate() {
      own = undefined;
      make = generatePair;
      this.state.publicKeyMissing = false;
    },
  };
}

/** An RSA key pair of 2048 bits, made on a thread of its own. */
export async function generatePair(): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  return generate('rsa', { modulusLength: MODULUS_BITS });
}
