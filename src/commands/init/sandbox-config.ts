/** A config file that holds nothing but the sandbox, as a clone of the repository has one. */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';

import type { ProxyConfig } from '../../config/schema.ts';
import { shownPath } from '../path-from.ts';
import { fileNotWritten } from '../replace-file.ts';
import { UsageError } from '../usage-error.ts';
import type { InitSession } from './session.ts';

/** Whether every route leads to a sandbox: nothing is lost that took a registration to get. */
export function holdsOnlySandboxes({ routes }: Pick<ProxyConfig, 'routes'>): boolean {
  return routes.every(({ client }) => client === undefined);
}

/** @throws UsageError when the file is to stay, with what to type instead */
export async function agreeToReplace({
  file,
  args: { url },
  dialogue,
  cwd,
}: InitSession): Promise<void> {
  const shown = shownPath(cwd, file);
  const isAgreed =
    dialogue.interactive &&
    (await dialogue.askConfirm({
      flag: '--force',
      message: `"${shown}" holds nothing but the sandbox. Replace it? The old one is kept as "${shown}.bak"`,
      expected: '--force, to replace the file',
    }));
  if (isAgreed) return;
  throw new UsageError(
    `"${shown}" is there already and leads to the sandbox only; it was left as it is`,
    `Make another file: fhir-auth-proxy init ${url ?? 'URL'} --config openemr.config.json, then start with fhir-auth-proxy --config openemr.config.json. Or replace it with --force`,
  );
}

/**
 * Copies a file beside itself: `.bak`, then `.bak-2` and so on; never over one that is there.
 *
 * @returns absolute path of the copy
 * @throws ProxyError `file-not-written`
 */
export async function keepCopy(file: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const copy = `${file}.bak${count === 1 ? '' : `-${count}`}`;
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileNotWritten(copy, error);
    }
  }
}
