/** The file of a pinned certificate. */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { ServerCertificate } from '../../auth/server-certificate.ts';
import { ProxyError } from '../../base/errors.ts';
import { fileNotWritten } from '../replace-file.ts';

/** Where the pinned certificate of a server is, below `folder`. */
export function certificateFile(folder: string, origin: string): string {
  const { hostname, port } = new URL(origin);
  const name = [hostname.replaceAll(/[^\w.-]/g, '_'), port].filter(Boolean).join('-');
  return join(folder, 'certs', `${name}.pem`);
}

/** Whether exactly this certificate was pinned before. */
export async function isPinned(
  folder: string,
  origin: string,
  { sha256 }: ServerCertificate,
): Promise<boolean> {
  return (await readFingerprint(certificateFile(folder, origin))) === sha256;
}

/**
 * Writes `certs/HOST-PORT.pem`, or leaves it when it holds the same certificate already.
 *
 * @returns its absolute path, and whether it was written just now
 * @throws ProxyError `certificate-changed` when it holds another one, or `file-not-written`
 */
export async function writeCertificate(
  folder: string,
  origin: string,
  certificate: ServerCertificate,
): Promise<{ file: string; written: boolean }> {
  const file = certificateFile(folder, origin);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, certificate.pem, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileNotWritten(file, error);
    await assertSame(file, origin, certificate);
    return { file, written: false };
  }
  return { file, written: true };
}

async function assertSame(file: string, origin: string, { sha256 }: ServerCertificate) {
  const pinned = await readFingerprint(file);
  if (pinned === sha256) return;
  throw new ProxyError(
    'certificate-changed',
    `"${file}" holds ${pinned === undefined ? 'no certificate' : `the certificate with SHA-256 ${pinned}`}, but "${origin}" shows ${sha256}. If the server got a new certificate, delete the file and run this again; otherwise another machine is in between`,
  );
}

async function readFingerprint(file: string): Promise<string | undefined> {
  try {
    return new X509Certificate(await readFile(file)).fingerprint256;
  } catch {
    return undefined;
  }
}
