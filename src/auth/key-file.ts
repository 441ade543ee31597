/** Where the text of a signing key comes from: the configuration itself, or a file that only its owner reads. */
import { type FileHandle, open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import process from 'node:process';

import { ProxyError } from '../base/errors.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { checkKeyFile } from './key-permissions.ts';
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
const LONGEST_KEY_BYTES = 65_536;
/**
 * The key that a setting names.
 *
 * A file with a private key that others could read or replace is refused, see {@link checkKeyFile}; other
 * text is handed out, for the reader of keys to judge.
 *
 * @param value the key itself (it starts with `{` or `-----BEGIN`) or the absolute path of its file
 * @param options.uid user id of this process, for the question who owns the file; default: the
 *   effective one
 * @throws ProxyError `key-path-relative`, `key-file-missing`, `key-file-unreadable`,
 *   `key-file-too-large`, and those of {@link checkKeyFile}
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
      ? await checkKeyFile(value, stats, options.uid ?? process.geteuid?.())
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
