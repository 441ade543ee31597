/** A certificate for the sandbox's own TLS, as fresh and as untrusted as the one of OpenEMR's container image. */

/** A certificate and its key, PEM. */
export interface SelfSignedCertificate {
  cert: string;
  key: string;
}

const LIFETIME_MS = 30 * 86_400_000;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * Makes a self-signed certificate for localhost, its addresses and one more host. The library is
 * loaded here and nowhere else, so that a start without TLS does not wait for it; by its default, as the
 * bundle of the program gives a CommonJS package no other name.
 *
 * @param host name or address that the sandbox listens on
 */
export async function createSelfSignedCertificate(host: string): Promise<SelfSignedCertificate> {
  const { default: selfsigned } = await import('selfsigned');
  const { generate } = selfsigned;
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + LIFETIME_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: alternativeNames(host) },
    ],
  });
  return { cert, key };
}

function alternativeNames(
  host: string,
): ({ type: typeof DNS_NAME; value: string } | { type: typeof IP_ADDRESS; ip: string })[] {
  const names = new Set(['localhost', '127.0.0.1', '::1', host]);
  return [...names].map((name) =>
    /^[\d.]+$|:/.test(name) ? { type: IP_ADDRESS, ip: name } : { type: DNS_NAME, value: name },
  );
}
