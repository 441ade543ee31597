/**
 * The only place that writes config files. Every value is written so that it is read back as it is: what
 * comes from a server, a certificate or a path must not become a reference to the environment.
 */
import { readFile, realpath, stat, writeFile } from 'node:fs/promises';

import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';

import { ProxyError } from '../base/errors.ts';
import { escapeReferences } from '../config/interpolate.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import type { ConfigPath } from '../config/path.ts';
import type { ProxyConfigInput } from '../config/schema.ts';
import { fileNotWritten, replaceFile } from './replace-file.ts';

/**
 * Writes a config file as people would.
 *
 * @param force whether a file that is there is replaced, in one step
 * @throws ProxyError `file-exists` or `file-not-written`
 */
export async function writeConfigFile(
  file: string,
  config: ProxyConfigInput,
  force: boolean,
): Promise<void> {
  const text = `${JSON.stringify(escapeReferences(config), null, 2)}\n`;
  try {
    if (force) await replaceFile(file, text);
    else await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileNotWritten(file, error);
    throw new ProxyError(
      'file-exists',
      `${pathInMessage(file)} is there already: replace it with --force`,
      { cause: error },
    );
  }
}

/** Changes of single values in a config file; comments and everything else in it stay. */
export interface ConfigEdit {
  /** Puts values in place of those that the file began with; `undefined` takes one out. */
  set(values: readonly (readonly [ConfigPath, unknown])[]): Promise<void>;
  /** Puts back what the file began with, byte for byte. */
  restore(): Promise<void>;
}

/**
 * @param path absolute path; a symbolic link stays one
 * @throws ProxyError from both functions: `file-not-written` when the file cannot be replaced,
 *   `file-changed` when somebody else has changed it since, whose text is left as it is
 */
export async function openConfigEdit(path: string): Promise<ConfigEdit> {
  const file = await realpath(path);
  const original = await readFile(file, 'utf8');
  const { mode } = await stat(file);
  const formattingOptions: FormattingOptions = {
    insertSpaces: !/^\t/m.test(original),
    tabSize: 2,
    eol: original.includes('\r\n') ? '\r\n' : '\n',
  };
  let current = original;

  const replace = async (text: string): Promise<void> => {
    if (text === current) return;
    if ((await readFile(file, 'utf8')) !== current) {
      throw new ProxyError(
        'file-changed',
        `"${file}" was changed by somebody else meanwhile and was left so: see that "key" of the client names the key in use and is the first of "publish"`,
      );
    }
    try {
      await replaceFile(file, text, mode);
      current = text;
    } catch (error) {
      throw fileNotWritten(file, error);
    }
  };
  return {
    set(values) {
      let text = original;
      for (const [path, value] of values) {
        text = applyEdits(
          text,
          modify(text, [...path], escapeReferences(value), { formattingOptions }),
        );
      }
      return replace(text);
    },
    restore: () => replace(original),
  };
}
