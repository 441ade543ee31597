/** Changes of single values in a config file; whatever else stands in it, comments included, stays. */
import { readFile, realpath, stat } from 'node:fs/promises';

import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';

import { ProxyError } from '../../base/errors.ts';
import type { ConfigPath } from '../../config/path.ts';
import { fileNotWritten, replaceFile } from '../replace-file.ts';

/** A config file under change. */
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
        text = applyEdits(text, modify(text, [...path], value, { formattingOptions }));
      }
      return replace(text);
    },
    restore: () => replace(original),
  };
}
