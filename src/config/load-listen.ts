/** Where a proxy listens, as far as can be known, for commands that look for a running one. */
import { readFile } from 'node:fs/promises';

import { parse } from 'jsonc-parser';

import { ConfigError } from '../base/errors.ts';
import { isObject } from '../base/is-object.ts';
import { findConfigFile, loadConfig, type LoadConfigOptions } from './load.ts';
import type { ListenConfig } from './schema.ts';

/** Where it listens. */
export interface FoundListen {
  listen: ListenConfig;
  /** What is wrong with the configuration; undefined when nothing is. */
  error?: ConfigError;
}

/**
 * Finds out where a proxy with this configuration listens. A running one survives a file that
 * has been broken since it started, so of such a file "listen" is taken when it can be read; else
 * flags, environment and defaults decide.
 *
 * @throws ConfigError when flags or environment are wrong
 */
export async function loadListen(options: LoadConfigOptions): Promise<FoundListen> {
  // Only where it listens matters: routes may come from flags of `start`, or be wrong by now.
  const flags = { ...options.flags, sandbox: true };
  try {
    return { listen: (await loadConfig({ ...options, flags })).config.listen };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const settings of [{ listen: await readListen(options) }, {}]) {
      const text = JSON.stringify(settings);
      const listen = await loadConfig({ ...options, flags, text }).then(
        ({ config }) => config.listen,
        () => undefined,
      );
      if (listen !== undefined) return { listen, error };
    }
    throw error;
  }
}

/** What stands under "listen", even in a text that is JSON in part; undefined when nothing can be had. */
async function readListen(options: LoadConfigOptions): Promise<unknown> {
  const text = await readFile(findConfigFile(options).path, 'utf8').catch(() => '');
  const value: unknown = parse(text, [], { allowTrailingComma: true });
  return isObject(value) ? value['listen'] : undefined;
}
