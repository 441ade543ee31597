/**
 * A certificate authority of this user's own (`listen.tls: "auto"`): made once and kept below the state
 * folder, so that a browser has to trust it once. What its key signs is good for the names of this proxy
 * alone (name constraints, RFC 5280 section 4.2.1.10), even when the key is stolen.
 */
import { createHash, randomUUID } from 'node:crypto';
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
import {
  isOutworn,
  issueCertificate,
  makeAuthority,
  type Authority,
  type CertificateNames,
  type LocalCertificate,
} from './local-certificate.ts';

/** The names of this proxy. */
interface Names extends CertificateNames {
  /** Those that are not this machine's own. */
  others: readonly string[];
}

const AUTHORITY_FILE = 'authority.pem';
const OWNER_ONLY = 0o600;
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

type Listen = Pick<ListenConfig, 'host' | 'allowedHosts'>;

/** PEM file of the authority that clients have to trust; undefined for a user without a home. */
export function localAuthorityFile(listen: Listen): string | undefined {
  const folder = folderOf(namesOf(listen));
  return folder === undefined ? undefined : join(folder, 'ca.pem');
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
    return await issueCertificate(authority, names);
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
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return (await readAuthority(file)) ?? authority;
    // A file system without hard links; two programs at the same moment are rarer there.
    if (!NO_LINKS.has(code)) throw error;
    await rename(fresh, file);
    return authority;
  } finally {
    await rm(fresh, { force: true });
  }
}

async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, text, { mode, flag: 'wx' });
  await rename(fresh, file);
}
