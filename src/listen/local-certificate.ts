/**
 * The certificates of a local authority: its own, with name constraints (RFC 5280 section 4.2.1.10), and
 * those that it signs for this proxy. Nothing here touches a disk.
 */
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate for this proxy, and its authority. */
export interface LocalCertificate {
  /** PEM. */
  cert: string;
  /** PEM, PKCS#8; never written to a disk. */
  key: string;
  /** When it expires, milliseconds since the epoch. */
  notAfterMs: number;
}

/** The names that a certificate is for. */
export interface CertificateNames {
  /** DNS names. */
  hosts: readonly string[];
  /** IP addresses, without brackets. */
  addresses: readonly string[];
}

/** Certificate and key of the authority, PEM. */
export interface Authority {
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 5 * 365;
/** Short, since it costs nothing: a new one is made at each start and while the proxy runs. */
const CERTIFICATE_DAYS = 30;
const NEAR_EXPIRY_MS = 10 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Whether a certificate should be made anew. */
export function isNearExpiry({ notAfterMs }: Pick<LocalCertificate, 'notAfterMs'>): boolean {
  return notAfterMs - Date.now() < NEAR_EXPIRY_MS;
}

/** Whether an authority cannot sign any more: at its end, or its file was damaged. */
export function isOutworn({ cert, key }: Authority): boolean {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.ca || !certificate.checkPrivateKey(createPrivateKey(key))) return true;
    // A certificate may not outlive its authority.
    const end = Date.parse(certificate.validTo);
    return end - Date.now() < (CERTIFICATE_DAYS + 1) * DAY_MS;
  } catch {
    return true;
  }
}

/** The libraries are read only where certificates are made. */
async function loadLibraries() {
  const [x509, asn1, schema] = await Promise.all([
    import('@peculiar/x509'),
    import('@peculiar/asn1-x509'),
    import('@peculiar/asn1-schema'),
  ]);
  x509.cryptoProvider.set(webcrypto);
  return { x509, asn1, schema };
}

/** Makes an authority that is good for these names, addresses of 127.0.0.0/8 and nothing else. */
export async function makeAuthority(names: CertificateNames): Promise<Authority> {
  const { x509, asn1, schema } = await loadLibraries();
  const { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } = asn1;
  const keys = await makeKeys();
  const bases = [
    ...names.hosts.map((dNSName) => ({ dNSName })),
    { iPAddress: '127.0.0.0/8' },
    ...names.addresses
      .filter((address) => !address.startsWith('127.'))
      .map((address) => ({ iPAddress: `${address}/${isIP(address) === 6 ? 128 : 32}` })),
  ];
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(
      bases.map((base) => new GeneralSubtree({ base: new GeneralName(base) })),
    ),
  });
  const serialNumber = newSerialNumber();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Two of them in one store have different names.
    name: `CN=fhir-auth-proxy local authority ${serialNumber.slice(-6)}`,
    ...lifetime(AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.Extension(
        asn1.id_ce_nameConstraints,
        true,
        schema.AsnConvert.serialize(constraints),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

/** Makes a certificate that an authority vouches for. */
export async function issueCertificate(
  { cert, key }: Authority,
  names: CertificateNames,
): Promise<LocalCertificate> {
  const { x509 } = await loadLibraries();
  const keys = await makeKeys();
  const [der] = x509.PemConverter.decode(key);
  const authority = new x509.X509Certificate(cert);
  const times = lifetime(CERTIFICATE_DAYS);
  const issued = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: 'CN=localhost',
    issuer: authority.subjectName,
    ...times,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der!, ALGORITHM, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.hosts.map((value) => ({ type: 'dns' as const, value })),
        ...names.addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return {
    cert: `${issued.toString('pem')}\n`,
    key: await exportKey(keys.privateKey),
    notAfterMs: times.notAfter.getTime(),
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** A day back, so that a slow clock does not matter. */
function lifetime(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** Positive (RFC 5280 section 4.1.2.2), hexadecimal. */
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
