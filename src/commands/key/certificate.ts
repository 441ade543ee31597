/** A public key in the form of a self-signed X.509 certificate, for servers that take no other. */
import { createPublicKey } from 'node:crypto';

import type { SigningKey } from '../../auth/signing-key.ts';

/** The certificate says nothing but the key; it is not to end before the key is changed. */
const LIFETIME_DAYS = 3650;
const DAY_MS = 86_400_000;

/** PEM of a certificate (RFC 5280) that the key signs itself with SHA-384; its common name is the `kid`. Valid for ten years. */
export async function createKeyCertificate({ alg, kid, privateKey }: SigningKey): Promise<string> {
  // By its default, as the bundle of the program gives a CommonJS package no other name.
  const { default: selfsigned } = await import('selfsigned');
  const { cert } = await selfsigned.generate([{ name: 'commonName', value: kid }], {
    keyPair: {
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      publicKey: createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString(),
    },
    ...(alg === 'ES384' ? { keyType: 'ec', curve: 'P-384' } : { keyType: 'rsa' }),
    algorithm: 'sha384',
    notAfterDate: new Date(Date.now() + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
    ],
  });
  return `${cert.trim()}\n`;
}
