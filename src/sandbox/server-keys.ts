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

/** Makes no key before one is asked for. */
export function createServerKeys(): ServerKeys {
  let own: ReturnType<typeof generatePair> | undefined;
  let other: ReturnType<typeof generatePair> | undefined;
  const pair = () => (own ??= generatePair());
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
      this.state.publicKeyMissing = false;
    },
  };
}

/** An RSA key pair of 2048 bits, made on a thread of its own. */
export async function generatePair(): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  return generate('rsa', { modulusLength: MODULUS_BITS });
}
