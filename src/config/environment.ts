import type { ConfigProblem } from '../base/errors.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { valueFromText } from './schema-walk.ts';
import {
  type ConfigFlags,
  type Setting,
  VARIABLE_PREFIX,
  settings,
  variableNames,
} from './settings.ts';
import { suggest } from './suggest.ts';

/** A value from outside the config file. */
export interface Overlay {
  setting: Setting;
  path: ConfigPath;
  value: unknown;
  /** Where it came from, for problems: `FHIR_AUTH_PROXY_PORT` or `--port`. */
  origin: string;
}

/** What the environment says. */
export interface EnvironmentOverlays {
  overlays: Overlay[];
  problems: ConfigProblem[];
  warnings: string[];
}

/** The environment as given to a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

// Kubernetes gives every pod such names for each Service; one called fhir-auth-proxy yields ours.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
const SERVICE_LINK_NAME = /^(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;
const SERVICE_LINK_PORT = /^(?:tcp|udp|sctp):\/\//;

/**
 * Reads every `FHIR_AUTH_PROXY_*` name. An empty value counts as not set, because compose files
 * cannot leave a name out.
 */
export function processEnvironment(environment: Environment): EnvironmentOverlays {
  const overlays: Overlay[] = [];
  const problems: ConfigProblem[] = [];
  for (const setting of settings) {
    const origin = setting.variable;
    const text = environment[origin];
    if (text === undefined || text.trim() === '') continue;
    if (setting.variable === `${VARIABLE_PREFIX}PORT` && SERVICE_LINK_PORT.test(text)) continue;
    const value =
      setting.content === 'inline' ? withLineBreaks(text) : valueFromText(setting.path, text);
    if (setting.content === 'inline' && !isInlineKey(text)) {
      problems.push({
        path: origin,
        message: 'expected a key itself, as JWK or PEM',
        remedy: `Use ${VARIABLE_PREFIX}KEY_FILE for the path of a key file`,
      });
      continue;
    }
    overlays.push({ setting, path: setting.path, value, origin });
  }
  if (overlays.filter(({ setting }) => isKey(setting)).length > 1) {
    problems.push({
      path: `${VARIABLE_PREFIX}KEY`,
      message: `is set together with ${VARIABLE_PREFIX}KEY_FILE`,
      remedy: 'Unset one of them',
    });
  }
  return { overlays, problems, warnings: unknownNames(environment) };
}

/** Turns the flags that were given into overlays. */
export function processFlags(flags: ConfigFlags): Overlay[] {
  return settings.flatMap((setting) => {
    const value = setting.flag && flags[setting.flag];
    if (setting.flag === undefined || value === undefined) return [];
    return {
      setting,
      path: setting.path,
      value: typeof value === 'string' ? valueFromText(setting.path, value) : value,
      origin: `--${setting.flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    };
  });
}

/** Whether a `client.key` holds the key itself, a JWK, JWK Set or PEM, and no path. */
export function isInlineKey(text: string): boolean {
  return /^\s*(?:\{|-----BEGIN )/.test(text);
}

function isKey(setting: Setting): boolean {
  return setting.content !== undefined && formatPath(setting.path) === 'routes[0].client.key';
}

// Many tools that set environments keep a PEM on one line with "\n" spelled out.
function withLineBreaks(text: string): string {
  return text.trimStart().startsWith('-----BEGIN ') && !text.trim().includes('\n')
    ? text.replaceAll('\\n', '\n')
    : text;
}

function unknownNames(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(VARIABLE_PREFIX) && !variableNames.includes(name))
    .filter((name) => !SERVICE_LINK_NAME.test(name.slice(VARIABLE_PREFIX.length)))
    .sort()
    .map((name) => {
      const meant = suggest(
        name.slice(VARIABLE_PREFIX.length),
        variableNames.map((known) => known.slice(VARIABLE_PREFIX.length)),
      );
      const hint = meant === undefined ? '' : `; did you mean ${VARIABLE_PREFIX}${meant}?`;
      return `environment variable ${name} is not known and was ignored${hint}`;
    });
}
