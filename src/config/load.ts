import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { ConfigError, type ConfigProblem } from '../base/errors.ts';
import { isObject } from '../base/is-object.ts';
import {
  type Environment,
  type Overlay,
  isInlineKey,
  processEnvironment,
  processFlags,
} from './environment.ts';
import { findOpenPermissions } from './file-permissions.ts';
import { withoutBrackets } from './host.ts';
import { findInlineSecrets } from './inline-secrets.ts';
import { interpolate } from './interpolate.ts';
import { describeIssue, processIssue } from './issues.ts';
import { type ParsedJson, parseJsonWithComments } from './json.ts';
import { pathInMessage } from './path-in-message.ts';
import { type ConfigPath, setValueAt, valueAt } from './path.ts';
import { createProblemList } from './problems.ts';
import { findBrokenRules, findWarnings } from './rules.ts';
import { isSandbox } from './sandbox-upstream.ts';
import { type ProxyConfig, configSchema } from './schema.ts';
import {
  CONFIG_VARIABLE,
  type ConfigFlags,
  VARIABLE_PREFIX,
  otherFilePaths,
  routeFilePaths,
} from './settings.ts';

/** Name of the config file that is read when none is named. */
export const DEFAULT_CONFIG_FILE = 'proxy.config.json';

/** Where a configuration comes from; flags win over the environment, that over the file, that over defaults. */
export interface LoadConfigOptions {
  /** Path of the config file, relative to `cwd`; from `--config`. */
  file?: string | undefined;
  /** Text of the config file; with it nothing is read, and `file` only names it. */
  text?: string | undefined;
  environment?: Environment | undefined;
  flags?: ConfigFlags | undefined;
  /** Working directory, absolute: paths in flags and environment count from here, paths in the file from its folder. */
  cwd: string;
}

/** A usable configuration. */
export interface LoadedConfig {
  config: ProxyConfig;
  /** Absolute path of the config file, when there was one. */
  file?: string;
  /** Sentences about what is dangerous or was ignored, for the log. */
  warnings: string[];
}

const DEFAULT_ROUTE_PATH = '/fhir';
const SANDBOX_ROUTES = [{ path: DEFAULT_ROUTE_PATH, upstream: 'sandbox' }];

/**
 * Loads, merges and checks the configuration.
 * @throws ConfigError with every problem at once
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const { environment = {}, flags = {}, cwd } = options;
  const source = await readSource(options);
  const fromEnvironment = processEnvironment(environment);
  const overlays = [...fromEnvironment.overlays, ...processFlags(flags)].filter(
    ({ path }) => flags.sandbox !== true || path[0] !== 'routes',
  );
  const list = createProblemList(source?.parsed, overlays);
  list.problems.push(...(source?.parsed.problems ?? []), ...fromEnvironment.problems);

  let raw: unknown = source === undefined ? {} : source.parsed.value;
  if (flags.sandbox === true && isObject(raw)) raw = { ...raw, routes: SANDBOX_ROUTES };
  raw = interpolate(raw, environment, list.add);
  if (isObject(raw)) {
    if (source !== undefined) resolveFilePaths(raw, dirname(source.file));
    applyOverlays(raw, overlays, cwd);
    if (source === undefined) completeRoute(raw, cwd, list.problems);
  }

  const result = configSchema.safeParse(raw, { error: describeIssue });
  for (const finding of result.error?.issues.flatMap(processIssue) ?? []) list.add(finding);
  for (const finding of findBrokenRules(raw)) list.add(finding);
  if (!result.success || list.problems.length > 0) {
    throw new ConfigError(inReadingOrder(list.problems), source && { file: source.file });
  }

  const config = result.data;
  const { listen } = config;
  if (listen.host !== undefined) listen.host = withoutBrackets(listen.host);
  return {
    config,
    ...(source === undefined || (options.text !== undefined && options.file === undefined)
      ? {}
      : { file: source.file }),
    warnings: [
      ...fromEnvironment.warnings,
      ...findInlineSecrets(source?.parsed.value),
      ...findWarnings(config),
    ],
  };
}

/** Environment and flags first, then the file from top to bottom. */
function inReadingOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

interface Source {
  parsed: ParsedJson;
  /** Absolute path; relative paths in the file count from its folder. */
  file: string;
}

/** The config file that is meant: its absolute path, and whether a flag or the environment names it. */
export function findConfigFile({
  cwd,
  file,
  environment,
}: Pick<LoadConfigOptions, 'cwd' | 'file' | 'environment'>): { path: string; isNamed: boolean } {
  const named = file ?? (environment?.[CONFIG_VARIABLE] || undefined);
  return { path: resolve(cwd, named ?? DEFAULT_CONFIG_FILE), isNamed: named !== undefined };
}

async function readSource(options: LoadConfigOptions): Promise<Source | undefined> {
  const { path: file, isNamed } = findConfigFile(options);
  const found = options.text ?? (await readConfigFile(file, isNamed, originOf(options)));
  return found === undefined ? undefined : { file, parsed: parseJsonWithComments(found, file) };
}

function originOf({ file }: LoadConfigOptions): string {
  return file === undefined ? CONFIG_VARIABLE : '--config';
}

/** The text of the file; undefined when there is no file and no name was given. */
async function readConfigFile(
  file: string,
  isNamed: boolean,
  origin: string,
): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    const { size } = await stat(file);
    if (size > LONGEST_FILE_BYTES) throw Object.assign(new Error(), { code: 'EFBIG' });
    bytes = await readFile(file);
    const problem = await findOpenPermissions(file);
    if (problem !== undefined) throw new ConfigError([problem], { file });
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' && !isNamed) return undefined;
    const [reason, remedy] = FILE_ERRORS[code] ?? [`cannot be read (${code})`, undefined];
    const problem = {
      path: isNamed ? origin : DEFAULT_CONFIG_FILE,
      message: `${pathInMessage(file)} ${reason}`,
    };
    throw new ConfigError([remedy === undefined ? problem : { ...problem, remedy }], { cause });
  }
  try {
    // Takes a byte order mark off as well.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const problem = { path: file, message: 'is not UTF-8 text', remedy: 'Save it as UTF-8' };
    throw new ConfigError([problem], { cause });
  }
}

/** Longest config file that is read. */
const LONGEST_FILE_BYTES = 1_048_576;

const FILE_ERRORS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOENT: ['does not exist', 'Name an existing file, or make one with "fhir-auth-proxy init"'],
  EISDIR: ['is a folder', 'Name a file with "--config"'],
  EFBIG: ['is longer than 1 MiB', 'Name a config file with "--config"'],
  EACCES: ['may not be read by this user', 'Give this user the right to read it'],
};

function resolveFilePaths(raw: Record<string, unknown>, folder: string): void {
  const resolveAt = (parent: Record<string, unknown>, path: ConfigPath): void => {
    const value = valueAt(parent, path);
    if (value !== undefined) setValueAt(parent, path, resolveFiles(folder, value));
  };
  for (const path of otherFilePaths) resolveAt(raw, path);
  const routes = valueAt(raw, ['routes']);
  for (const route of Array.isArray(routes) ? (routes as unknown[]) : []) {
    if (isObject(route)) for (const path of routeFilePaths) resolveAt(route, path);
  }
}

/** The path of a file, or a list of them, made absolute; a key that stands there itself stays. */
function resolveFiles(folder: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => resolveFiles(folder, each));
  const isPath = typeof value === 'string' && value !== '' && !isInlineKey(value);
  return isPath ? resolve(folder, value) : value;
}

function applyOverlays(
  raw: Record<string, unknown>,
  overlays: readonly Overlay[],
  cwd: string,
): void {
  for (const { path, setting, value } of overlays) {
    setValueAt(raw, path, setting.content === 'file' ? resolveFiles(cwd, value) : value);
  }
}

/** Without a file the environment describes the one route; what it must say is asked for name by name. */
function completeRoute(
  raw: Record<string, unknown>,
  cwd: string,
  problems: readonly ConfigProblem[],
): void {
  const upstream = valueAt(raw, ['routes', 0, 'upstream']);
  if (upstream === undefined) {
    throw new ConfigError([
      {
        path: DEFAULT_CONFIG_FILE,
        message: `there is no such file in ${pathInMessage(cwd)}, and ${VARIABLE_PREFIX}UPSTREAM is not set`,
        remedy:
          'Run "fhir-auth-proxy init" to make one, or "fhir-auth-proxy --sandbox" to try the proxy without a server',
      },
      ...problems,
    ]);
  }
  if (valueAt(raw, ['routes', 0, 'path']) === undefined) {
    setValueAt(raw, ['routes', 0, 'path'], DEFAULT_ROUTE_PATH);
  }
  const needsClient = typeof upstream !== 'string' || !isSandbox(upstream);
  if (needsClient && valueAt(raw, ['routes', 0, 'client']) === undefined) {
    setValueAt(raw, ['routes', 0, 'client'], {});
  }
}
