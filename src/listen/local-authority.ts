/**
 * A certificate authority of this user's own (`listen.tls: "auto"`): made once and kept below the state
 * folder, so that a browser has to trust it once. What its key signs is good for the names of this proxy
 * alone (name constraints, RFC 5280 section 4.2.1.10), even when the key is stolen.
 */
import { createHash, randomBytes, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';

import { checkKeyFile } from '../auth/key-permissions.ts';
import { ConfigError, ProxyError } from '../base/errors.ts';
import { isLoopbackHost, isWildcardHost, withoutBrackets } from '../config/host.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import type { ListenConfig } from '../config/schema.ts';
import { findStateFolder } from '../config/state-folder.ts';

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
interface Names {
  hosts: string[];
  addresses: string[];
  /** Those of the addresses and hosts that are not this machine's own. */
  others: string[];
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 5 * 365;
/** Short, since it costs nothing: a new one is made at each start and while the proxy runs. */
const CERTIFICATE_DAYS = 30;
const NEAR_EXPIRY_MS = 10 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const AUTHORITY_FILE = 'authority.pem';
const OWNER_ONLY = 0o600;

type Listen = Pick<ListenConfig, 'host' | 'allowedHosts'>;

/** PEM file of the authority that clients have to trust; undefined for a user without a home. */
export function localAuthorityFile(listen: Listen): string | undefined {
  const folder = folderOf(namesOf(listen));
  return folder === undefined ? undefined : join(folder, 'ca.pem');
}

/** Whether a certificate should be made anew. */
export function isNearExpiry({ notAfterMs }: Pick<LocalCertificate, 'notAfterMs'>): boolean {
  return notAfterMs - Date.now() < NEAR_EXPIRY_MS;
}

/**
 * Makes a certificate for the names of this proxy; the authority is made when it is not there, or
 * near its own end.
 *
 * @throws ConfigError when the folder cannot be used, or others can read the authority's key
 */
export async function makeLocalCertificate(listen: Listen): Promise<LocalCertificate> {
  const names = namesOf(listen);
  const folder = folderOf(names);
  if (folder === undefined) {
    throw problem(
      '"auto" keeps its authority in the home of the user, and this user has none',
      'Set XDG_STATE_HOME to a folder that stays, or name "cert" and "key"',
    );
  }
  try {
    const authority = await provideAuthority(folder, names);
    return await issue(authority, names);
  } catch (error) {
    if (error instanceof ProxyError && !(error instanceof ConfigError)) {
      throw problem(
        error.message,
        'Remove the folder to have a new authority made, and trust that',
      );
    }
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ConfigError || code === undefined) throw error;
    throw problem(
      `the local authority in ${pathInMessage(folder)} cannot be used (${code})`,
      'Make the folder writable for this user, or set XDG_STATE_HOME to one that is',
    );
  }
}

function problem(message: string, remedy: string): ConfigError {
  return new ConfigError([{ path: 'listen.tls', message, remedy }]);
}

function namesOf({ host, allowedHosts }: Listen): Names {
  const own = host === undefined || isWildcardHost(host) ? [] : [host];
  const all = [...own, ...allowedHosts].map((name) => withoutBrackets(name).toLowerCase());
  const others = [...new Set(all.filter((name) => !isLoopbackHost(name)))].sort();
  const loopback = all.filter(isLoopbackHost);
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...loopback, ...others])];
  return {
    hosts: names.filter((name) => isIP(name) === 0),
    addresses: names.filter((name) => isIP(name) !== 0),
    others,
  };
}

/** Each set of names has an authority of its own, which can sign for no other. */
function folderOf({ others }: Names): string | undefined {
  const state = findStateFolder(process.env);
  if (state === undefined) return undefined;
  const hash = createHash('sha256').update(others.join(' ')).digest('hex').slice(0, 16);
  return join(state, 'tls', others.length === 0 ? 'loopback' : hash);
}

/** Certificate and key of the authority, PEM. */
interface Authority {
  cert: string;
  key: string;
}

async function provideAuthority(folder: string, names: Names): Promise<Authority> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, AUTHORITY_FILE);
  const there = await readAuthority(file);
  const authority =
    there === undefined || isOutworn(there)
      ? await keepAuthority(file, await makeAuthority(names), there !== undefined)
      : there;
  const certificateFile = join(folder, 'ca.pem');
  const written = await readFile(certificateFile, 'utf8').catch(() => undefined);
  if (written !== authority.cert) await replaceFile(certificateFile, authority.cert, 0o644);
  return authority;
}

/** Undefined when the file is not there. @throws ProxyError when others can read it */
async function readAuthority(file: string): Promise<Authority | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    await checkKeyFile(file, await handle.stat(), process.geteuid?.());
    const text = await handle.readFile('utf8');
    const end = text.indexOf('-----BEGIN CERTIFICATE-----');
    return { key: text.slice(0, end), cert: text.slice(end) };
  } finally {
    await handle.close();
  }
}

function isOutworn({ cert }: Authority): boolean {
  try {
    // A certificate may not outlive its authority.
    const end = Date.parse(new X509Certificate(cert).validTo);
    return end - Date.now() < (CERTIFICATE_DAYS + 1) * DAY_MS;
  } catch {
    return true;
  }
}

/** Of two programs that make one at the same time, both use the one that was first. */
async function keepAuthority(
  file: string,
  authority: Authority,
  replaces: boolean,
): Promise<Authority> {
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, authority.key + authority.cert, { mode: OWNER_ONLY, flag: 'wx' });
  try {
    if (replaces) await rename(fresh, file);
    else await link(fresh, file);
    return authority;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readAuthority(file)) ?? authority;
  } finally {
    await rm(fresh, { force: true });
  }
}

async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, text, { mode, flag: 'wx' });
  await rename(fresh, file);
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

async function makeAuthority(names: Names): Promise<Authority> {
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

async function issue({ cert, key }: Authority, names: Names): Promise<LocalCertificate> {
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
