/**
 * Whether a config file may run programs. It may lie in a folder that came from elsewhere, such as a cloned
 * repository, and starting the proxy there must not be enough to run what it names.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { LoadedConfig } from '../config/load.ts';
import type { RouteConfig } from '../config/schema.ts';
import { TRUST_VARIABLE, VARIABLE_PREFIX } from '../config/settings.ts';
import { findStateFolder } from '../config/state-folder.ts';
import { createDialogue } from './dialogue.ts';
import { replaceFile } from './replace-file.ts';
import type { Runtime } from './runtime.ts';

/** How trust may come about. */
export interface TrustOptions {
  /** Whether the caller said so, by `--trust`: remembered. */
  isGiven: boolean;
  /** Whether a person at the terminal may be asked. */
  mayAsk: boolean;
}

/**
 * The same configuration with the `errorLogCommand`s that were confirmed; the others are left out, with a
 * warning that says how to confirm them. What comes from the environment or without a file is the
 * caller's own. Confirmed is a file by its path and its commands, so that other edits ask no question.
 */
export async function withTrustedCommands(
  loaded: LoadedConfig,
  options: TrustOptions,
  runtime: Runtime,
): Promise<LoadedConfig> {
  const { config, file } = loaded;
  const routes = config.routes.filter((route, index) => isFromFile(route, index, runtime));
  if (file === undefined || routes.length === 0) return loaded;
  const commands = routes.map(({ path, errorLogCommand }) => [path, errorLogCommand]);
  const hash = createHash('sha256').update(JSON.stringify(commands)).digest('hex');
  if (await isTrusted(file, hash, routes, options, runtime)) return loaded;
  const untrusted = new Set(routes);
  return {
    ...loaded,
    config: {
      ...config,
      routes: config.routes.map((route) => (untrusted.has(route) ? withoutCommand(route) : route)),
    },
    warnings: [
      ...loaded.warnings,
      `"errorLogCommand" does not run: it was not confirmed that "${file}" may run programs. Look at the file, then start once with --trust (in a container: ${TRUST_VARIABLE}=true)`,
    ],
  };
}

function isFromFile({ errorLogCommand }: RouteConfig, index: number, runtime: Runtime): boolean {
  if (errorLogCommand === undefined) return false;
  const variable = runtime.environment[`${VARIABLE_PREFIX}ERROR_LOG_COMMAND`];
  return index > 0 || variable === undefined || variable.trim() === '';
}

async function isTrusted(
  file: string,
  hash: string,
  routes: readonly RouteConfig[],
  { isGiven, mayAsk }: TrustOptions,
  runtime: Runtime,
): Promise<boolean> {
  if (/^(?:1|true|yes|on)$/i.test(runtime.environment[TRUST_VARIABLE] ?? '')) return true;
  const store = storePath(runtime);
  const known = store === undefined ? {} : await readStore(store);
  if (known[file] === hash) return true;
  if (!isGiven && !(mayAsk && (await ask(file, routes, runtime)))) return false;
  if (store !== undefined) await remember(store, { ...known, [file]: hash }, runtime);
  return true;
}

async function ask(
  file: string,
  routes: readonly RouteConfig[],
  runtime: Runtime,
): Promise<boolean> {
  const dialogue = await createDialogue(runtime);
  if (!dialogue.interactive) return false;
  const programs = routes.map(({ errorLogCommand = [] }) => errorLogCommand.join(' '));
  dialogue.note(`${file} wants to run`, programs);
  return dialogue.askConfirm({
    flag: '--trust',
    message: 'Run it now, and at every start from here? (It prints the error log, for hints)',
    expected: 'that the file may run programs',
  });
}

function withoutCommand(route: RouteConfig): RouteConfig {
  const { errorLogCommand: _, ...rest } = route;
  return rest;
}

/** Where confirmed files are remembered; undefined for a user without a home. */
function storePath({ environment }: Runtime): string | undefined {
  const folder = findStateFolder(environment);
  return folder === undefined ? undefined : join(folder, 'trusted.json');
}

async function readStore(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // None yet, or not readable: nothing is trusted then.
    return {};
  }
}

async function remember(path: string, known: object, { stderr }: Runtime): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, `${JSON.stringify(known, null, 2)}\n`, 0o600);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    stderr.write(`warning: what was confirmed cannot be remembered in "${path}" (${code})\n`);
  }
}
