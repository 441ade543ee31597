/** Where the text of a signing key comes from: the configuration itself, or a file that only its owner reads. */
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { holdsPrivateKey, trimKeyText } from './signing-key.ts';

/** Text of a key, and what is unwise about the way it is kept. */
export interface KeyText {
  text: string;
  /** Sentences for the log; lower-case, no full stop, no secret. */
  warnings: string[];
  /** When the file was last changed, milliseconds since the epoch; undefined for a key without a file. */
  changedAtMs?: number;
}

/** Longest key file that is read, in bytes. */
const LONGEST_KEY_BYTES = 1_048_576;
/** Permission bits of everyone but the owner. */
const GROUP_AND_OTHERS = 0o077;

/**
 * The key that a setting names.
 *
 * A file with a private key that its group or others can read is refused with the command that mends
 * it; other text is handed out, for whoever reads it as a key to judge. A secret mounted into a
 * container cannot be mended from inside: where the file system is read-only or the file belongs to
 * another user, there is a warning instead. Windows has no such bits: no check there.
 *
 * @param value the key itself (it starts with `{` or `-----BEGIN`) or the absolute path of its file
 * @param options.uid user id of this process, for the question who owns the file; default: the
 *   effective one
 * @throws ProxyError `key-path-relative`, `key-file-missing`, `key-file-unreadable`,
 *   `key-file-too-large` or `key-file-exposed`
 */
export async function readKeyText(
  value: string,
  options: { uid?: number | undefined } = {},
): Promise<KeyText> {
  const inline = trimKeyText(value);
  if (inline.startsWith('{') || inline.startsWith('-----BEGIN')) {
    return { text: value, warnings: [] };
  }
  if (!isAbsolute(value)) {
    throw new ProxyError(
      'key-path-relative',
      'the key setting is neither a key nor an absolute path: expected "{…}", "-----BEGIN …" or a path from the root',
    );
  }
  const file = await openKeyFile(value);
  try {
    const stats = await file.stat();
    if (stats.size > LONGEST_KEY_BYTES) throw refuseLength(value, stats.size);
    const text = decode(await file.readFile());
    // Only a private key is to be hidden: "chmod 600" on whatever was named by mistake may break a machine.
    const warnings = holdsPrivateKey(text)
      ? await checkPermissions(value, stats, options.uid ?? effectiveUid())
      : [];
    return { text, warnings, changedAtMs: stats.mtimeMs };
  } catch (error) {
    throw error instanceof ProxyError ? error : refuseFile(value, error);
  } finally {
    await file.close();
  }
}

async function openKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw refuseFile(path, error);
  }
}

/** @param stats of the opened file, not of its name, so that nobody can swap it between check and reading */
async function checkPermissions(
  path: string,
  { mode, uid: owner }: Pick<Stats, 'mode' | 'uid'>,
  uid: number | undefined,
): Promise<string[]> {
  if (uid === WINDOWS_UID || (mode & GROUP_AND_OTHERS) === 0) return [];
  const permissions = `0${(mode & 0o777).toString(8)}`;
  if (owner !== uid || (await isReadOnly(path))) {
    return [
      `the key file "${path}" can be read by others than its owner (mode ${permissions}); as a mounted secret it is taken all the same`,
    ];
  }
  throw new ProxyError(
    'key-file-exposed',
    `the key file "${path}" can be read by others than its owner (mode ${permissions}): expected 0600. Run: chmod 600 ${quote(path)}`,
  );
}

const WINDOWS_UID = -1;

/** `undefined` when the user has no entry in the user database, as in a container with a user id of its own. */
function effectiveUid(): number | undefined {
  try {
    return userInfo().uid;
  } catch {
    return undefined;
  }
}

async function isReadOnly(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** Windows PowerShell writes UTF-16 when output is redirected into a file. */
function decode(bytes: Buffer): string {
  return new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8').decode(
    bytes,
  );
}

function refuseLength(path: string, bytes: number): ProxyError {
  return new ProxyError(
    'key-file-too-large',
    `the key file ${pathInMessage(path)} has ${bytes} bytes: expected a key, at most ${LONGEST_KEY_BYTES}. Name another file`,
  );
}

function refuseFile(path: string, error: unknown): ProxyError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ProxyError(
      'key-file-missing',
      `the key file ${pathInMessage(path)} does not exist: expected a JWK or PEM file. Correct the path, or make one with "fhir-auth-proxy key generate"`,
      { cause: error },
    );
  }
  const reason = code === 'EISDIR' ? 'is a folder' : `cannot be read (${code ?? 'unknown'})`;
  return new ProxyError(
    'key-file-unreadable',
    `the key file ${pathInMessage(path)} ${reason}: expected a JWK or PEM file that the user of this program can read`,
    { cause: error },
  );
}

/** A path as a shell takes it. */
function quote(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
