/** Changes of single values in a config file; whatever else stands in it, comments included, stays. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';

import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';

import type { ConfigPath } from '../../config/path.ts';
import { ProxyError } from '../../errors.ts';

/** A config file under change. */
export interface ConfigEdit {
  /** Puts values in place of those that the file began with; `undefined` takes one out. */
  set(values: readonly (readonly [ConfigPath, unknown])[]): Promise<void>;
  /** Puts back what the file began with, byte for byte. */
  restore(): Promise<void>;
}

/**
 * @param file absolute path
 * @throws ProxyError `file-not-written` from both functions when the file cannot be replaced
 */
export async function openConfigEdit(file: string): Promise<ConfigEdit> {
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
    const fresh = `${file}.${randomUUID()}`;
    try {
      await writeFile(fresh, text, { flag: 'wx', mode });
      await rename(fresh, file);
      current = text;
    } catch (error) {
      await rm(fresh, { force: true });
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw new ProxyError('file-not-written', `cannot write "${file}" (${code})`, {
        cause: error,
      });
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
