/** What to do about a certificate that is not trusted. */
import type { X509Certificate } from 'node:crypto';

import { withBrackets } from '../config/host.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { readCertificates } from '../config/tls.ts';
import { nameIn } from './distinguished-name.ts';
import { addressOf } from './network.ts';

/**
 * The exact configuration; nothing is written, since only a person can compare the fingerprint.
 *
 * @param ca file of "tls.ca", when it is set: then a certificate that it does not hold is another
 *   one than was trusted before
 */
export async function trustFix(
  base: URL,
  certificate: X509Certificate | undefined,
  ca?: string,
): Promise<string> {
  const trusted = ca === undefined ? [] : await readCertificates(ca);
  const isNew = !trusted.some(
    ({ raw }) => certificate !== undefined && raw.equals(certificate.raw),
  );
  if (ca !== undefined && isNew) return changedFix(base, certificate, { ca, trusted });
  const issuer = issuerOf(certificate);
  return issuer === undefined
    ? `Save it: ${saveCommand(base)} > openemr.pem, beside the config file; then add to this route: "tls": { "ca": "openemr.pem" }${
        certificate === undefined
          ? ''
          : `. Compare its SHA-256 fingerprint with the server's own first: ${certificate.fingerprint256}`
      }`
    : `Get the certificate of its authority (${issuer}) as a PEM file; then add to this route: "tls": { "ca": "authority.pem" }`;
}

/** The one that is shown is not the one that is trusted: whoever takes it blindly may trust a stranger. */
function changedFix(
  base: URL,
  certificate: X509Certificate | undefined,
  { ca, trusted }: { ca: string; trusted: readonly X509Certificate[] },
): string {
  const [only, another] = trusted;
  const before =
    only === undefined || another !== undefined ? '' : `; "tls.ca" holds ${only.fingerprint256}`;
  const compare = `Compare its SHA-256 fingerprint with that of the certificate on the server itself: ${certificate?.fingerprint256 ?? 'none'}${before}`;
  const issuer = issuerOf(certificate);
  const take =
    issuer === undefined
      ? `${saveCommand(base)} > ${pathInMessage(ca)}`
      : `put that of its authority (${issuer}) into ${pathInMessage(ca)}`;
  return `${compare}. If the server has the same, its certificate is new, take it: ${take}. If not, somebody is in between`;
}

function saveCommand(base: URL): string {
  const { host, port } = addressOf(base);
  return `openssl s_client -connect ${withBrackets(host)}:${port} </dev/null | openssl x509`;
}

/** The name of its authority; undefined for one that signed itself, and for none. */
function issuerOf(certificate: X509Certificate | undefined): string | undefined {
  return certificate === undefined || certificate.issuer === certificate.subject
    ? undefined
    : nameIn(certificate.issuer);
}
