/** Certificates for tests, made on the spot. */
import { generate } from 'selfsigned';

/** A certificate with its private key, both PEM. */
export interface Certificate {
  cert: string;
  /** PKCS#8. */
  key: string;
}

/** Who a certificate is for. */
export interface Subject {
  /** Default `localhost`. */
  commonName?: string;
  /** DNS names; default `localhost`. */
  hosts?: readonly string[];
  /** IP addresses; default 127.0.0.1. */
  addresses?: readonly string[];
  /** Milliseconds since the epoch; default in a year. */
  notAfterMs?: number;
}

/** Makes a certificate authority. */
export async function createAuthority(commonName = 'Test authority'): Promise<Certificate> {
  return make(commonName, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
}

/** Makes a certificate for servers and clients: signed by the authority, or by itself without one. */
export async function createCertificate(
  subject: Subject = {},
  authority?: Certificate,
): Promise<Certificate> {
  const { commonName = 'localhost', hosts = ['localhost'], addresses = ['127.0.0.1'] } = subject;
  const names = [
    ...hosts.map((value) => ({ type: 2 as const, value })),
    ...addresses.map((ip) => ({ type: 7 as const, ip })),
  ];
  return make(
    commonName,
    [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: names },
    ],
    authority,
    subject.notAfterMs,
  );
}

async function make(
  commonName: string,
  extensions: NonNullable<Parameters<typeof generate>[1]>['extensions'],
  ca?: Certificate,
  notAfterMs?: number,
): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A day back, so that a slow clock does not matter, and an expired one can be asked for.
    notBeforeDate: new Date(Math.min(Date.now(), notAfterMs ?? Infinity) - 86_400_000),
    ...(notAfterMs !== undefined && { notAfterDate: new Date(notAfterMs) }),
    ...(extensions !== undefined && { extensions }),
    ...(ca !== undefined && { ca }),
  });
  return { cert, key };
}
