import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import tls, { type ConnectionOptions } from 'node:tls';

import { ConfigError, type ConfigProblem } from '../base/errors.ts';
import { pathInMessage } from './path-in-message.ts';
import type { TlsConfig } from './schema.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the PEM files and builds the options of every TLS connection of a route. The certificate
 * authority of the config is added to the usual ones, so that public servers stay trusted. The
 * files are parsed once, into a secure context that all connections share.
 * @param path where the settings stand in the configuration, for errors
 * @throws ConfigError that names every file that cannot be used
 */
export async function loadTlsOptions(
  settings: TlsConfig,
  path = 'tls',
): Promise<ConnectionOptions> {
  const problems: ConfigProblem[] = [];
  const read = async (name: 'ca' | 'cert' | 'key', check: (pem: string) => void) => {
    const file = settings[name];
    if (file === undefined) return undefined;
    try {
      const pem = await readFile(file, 'utf8');
      check(pem);
      return pem;
    } catch (error) {
      problems.push({ path: `${path}.${name}`, ...describeFailure(file, name, error) });
      return undefined;
    }
  };
  const [ca, cert, key] = await Promise.all([
    read('ca', assertCertificates),
    read('cert', assertCertificates),
    read('key', assertPrivateKey),
  ]);
  if (cert !== undefined && key !== undefined && !isPair(cert, key)) {
    problems.push({
      path: `${path}.key`,
      message: `"${settings.key}" is not the private key of the certificate "${settings.cert}"`,
      remedy: 'Give the key that the certificate was issued for',
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const isCustom = ca !== undefined || cert !== undefined;
  return {
    ...(isCustom && {
      secureContext: tls.createSecureContext({
        ...(ca !== undefined && { ca: authoritiesWith(ca) }),
        ...(cert !== undefined && key !== undefined && { cert, key }),
      }),
    }),
    ...(settings.serverName !== undefined && { servername: settings.serverName }),
    // Said in either case: where nothing is said, NODE_TLS_REJECT_UNAUTHORIZED decides.
    rejectUnauthorized: !settings.insecure,
  };
}

/**
 * Reads certificate and key of a server, PEM.
 *
 * @param path where the settings stand in the configuration, for errors
 * @throws ConfigError that names every file that cannot be used
 */
export async function loadCertificatePair(
  files: { cert: string; key: string },
  path: string,
): Promise<{ cert: string; key: string }> {
  const problems: ConfigProblem[] = [];
  const read = async (name: 'cert' | 'key', check: (pem: string) => void): Promise<string> => {
    try {
      const pem = await readFile(files[name], 'utf8');
      check(pem);
      return pem;
    } catch (error) {
      problems.push({ path: `${path}.${name}`, ...describeFailure(files[name], name, error) });
      return '';
    }
  };
  const [cert, key] = await Promise.all([
    read('cert', assertCertificates),
    read('key', assertPrivateKey),
  ]);
  if (problems.length === 0 && !isPair(cert, key)) {
    problems.push({
      path: `${path}.key`,
      message: `"${files.key}" is not the private key of the certificate "${files.cert}"`,
      remedy: 'Give the key that the certificate was issued for',
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { cert, key };
}

/**
 * What is unwise about the mode of the file of the client certificate's key, in a sentence for the log;
 * undefined when it is fine, when there is no such file, or where files have no such bits (Windows).
 */
export async function findExposedTlsKey({ key }: TlsConfig): Promise<string | undefined> {
  if (key === undefined || platform() === 'win32') return undefined;
  const mode = (await stat(key)).mode & 0o777;
  if ((mode & 0o077) === 0) return undefined;
  return `the key file "${key}" can be read by others than its owner (mode 0${mode.toString(8)}): expected 0600`;
}

/** The certificates of a PEM file. Rejects when it cannot be read, or one of them is not a certificate. */
export async function readCertificates(file: string): Promise<X509Certificate[]> {
  const pem = await readFile(file, 'utf8');
  return (pem.match(CERTIFICATE) ?? []).map((certificate) => new X509Certificate(certificate));
}

/** The usual certificate authorities and those of a PEM text, each as PEM. */
export function authoritiesWith(pem: string): string[] {
  // From Node 22.15 on this includes NODE_EXTRA_CA_CERTS and, when asked for, the system's store.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  const usual = getCACertificates?.('default') ?? tls.rootCertificates;
  return [...usual, ...(pem.match(CERTIFICATE) ?? [])];
}

function assertCertificates(pem: string): void {
  const certificates = pem.match(CERTIFICATE);
  if (certificates === null) throw new TypeError('no certificate');
  for (const certificate of certificates) void new X509Certificate(certificate);
}

function assertPrivateKey(pem: string): void {
  if (/-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw Object.assign(new TypeError('encrypted'), { code: 'ERR_MISSING_PASSPHRASE' });
  }
  void createPrivateKey(pem);
}

function isPair(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

function describeFailure(
  file: string,
  name: 'ca' | 'cert' | 'key',
  error: unknown,
): { message: string; remedy: string } {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT') {
    return {
      message: `${pathInMessage(file)} does not exist`,
      remedy: 'Name an existing PEM file',
    };
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return {
      message: `${pathInMessage(file)} may not be read by this user`,
      remedy: 'Give this user the right to read it',
    };
  }
  if (code === 'ERR_MISSING_PASSPHRASE') {
    return {
      message: `${pathInMessage(file)} is protected by a passphrase`,
      remedy: 'Write it without one: openssl pkey -in KEY -out PLAIN',
    };
  }
  if (code === 'EISDIR') {
    return { message: `${pathInMessage(file)} is a folder`, remedy: 'Name the PEM file in it' };
  }
  return name === 'key'
    ? {
        message: `${pathInMessage(file)} holds no private key in PEM form`,
        remedy: 'Give a file that has "-----BEGIN PRIVATE KEY-----"',
      }
    : {
        message: `${pathInMessage(file)} holds no certificate in PEM form`,
        remedy:
          'Give a file that has "-----BEGIN CERTIFICATE-----"; openssl x509 -inform der -in CERT turns DER into it',
      };
}
