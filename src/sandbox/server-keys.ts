/** The key pair with which the sandbox signs and checks access tokens (OpenEMR's oaprivate.key and oapublic.key). */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);
const MODULUS_BITS = 2048;

/** Keys of the authorization server. */
export interface ServerKeys {
  /** Signs access tokens. Generated once, in the background. */
  privateKey(): Promise<KeyObject>;
  /** Checks access tokens; another pair's key while `mismatched` is true. */
  publicKey(mismatched: boolean): Promise<KeyObject>;
  /** Whether the files are there and readable; changed by tests of a broken installation. */
  state: { publicKeyMissing: boolean; privateKeyUnreadable: boolean };
  /** Throws the pair away; the next use makes a new one. */
  regenerate(): void;
}

/** Starts to generate the pair at once and does not wait for it. */
export function createServerKeys(): ServerKeys {
  let pair = generatePair();
  let other: ReturnType<typeof generatePair> | undefined;
  return {
    async privateKey() {
      return (await pair).privateKey;
    },
    async publicKey(mismatched) {
      if (!mismatched) return (await pair).publicKey;
      other ??= generatePair();
      return (await other).publicKey;
    },
    state: { publicKeyMissing: false, privateKeyUnreadable: false },
    regenerate() {
      pair = generatePair();
    },
  };
}

/** An RSA key pair of 2048 bits, made on a thread of its own. */
export async function generatePair(): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  return generate('rsa', { modulusLength: MODULUS_BITS });
}
