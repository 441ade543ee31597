/** `key check`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { checkKeyText } from '../../auth/key-check.ts';
import { readKeyText } from '../../auth/key-file.ts';
import type { KeyFinding } from '../../auth/key-finding.ts';
import type { SigningKey } from '../../auth/signing-key.ts';
import { ConfigError, ProxyError } from '../../base/errors.ts';
import { DEFAULT_CONFIG_FILE } from '../../config/load.ts';
import { pathInMessage } from '../../config/path-in-message.ts';
import { whyUnreadable } from '../../config/why-unreadable.ts';
import { ExitError } from '../exit-error.ts';
import { EXIT, type Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';
import { loadConfiguredKey, loadKeyFile } from './public.ts';
import { formatKeyReport } from './report.ts';

/** Judges a key file or a JWK Set; exit code 1 when something is wrong with it. */
export async function checkKeyFile(args: KeyArgs, runtime: Runtime): Promise<void> {
  if (args.file === undefined) {
    throw new UsageError('nothing to check', 'Name a key file or a JWK Set');
  }
  const text = await readAnyFile(resolve(runtime.cwd, args.file));
  const report = await checkKeyText(text, await findOurs(args, runtime));
  if (report.secret) {
    const exposed = await findExposure(resolve(runtime.cwd, args.file));
    if (exposed !== undefined) report.findings.unshift(exposed);
  }
  const { kind, findings } = report;
  if (args.json) runtime.stdout.writeJson({ file: args.file, kind, findings }, 2);
  else runtime.stdout.write(formatKeyReport(args.file, findings));
  const isWrong = findings.some(({ severity }) => severity === 'error');
  if (isWrong) throw new ExitError(EXIT.failed);
}

/** The key to compare with: the named one, else the one of the configuration, if there is any. */
async function findOurs(args: KeyArgs, runtime: Runtime): Promise<SigningKey | undefined> {
  if (args.against !== undefined) return loadKeyFile(args.against, runtime);
  try {
    return await loadConfiguredKey(args, runtime);
  } catch (error) {
    const isWanted = args.config !== undefined || args.route !== undefined;
    if (isWanted || !(error instanceof ConfigError || error instanceof UsageError)) throw error;
    const isMissing = error instanceof ConfigError && error.file === undefined;
    if (!isMissing) {
      runtime.stderr.write(
        `not compared with the key of ${DEFAULT_CONFIG_FILE}: ${error.message.split('\n')[0]}\n`,
      );
    }
    return undefined;
  }
}

async function readAnyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ProxyError(
      'file-unreadable',
      `cannot read ${pathInMessage(path)}: ${whyUnreadable(error)}`,
      { cause: error },
    );
  }
}

/** What is wrong with the file of a private key rather than with the key, such as that others can read it. */
async function findExposure(path: string): Promise<KeyFinding | undefined> {
  try {
    const [warning] = (await readKeyText(path)).warnings;
    return warning === undefined
      ? undefined
      : { code: 'key-file-exposed', severity: 'warning', message: `is exposed: ${warning}` };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { code: error.code, severity: 'error', message: `is exposed: ${error.message}` };
  }
}
