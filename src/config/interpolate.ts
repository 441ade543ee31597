import { isObject } from '../base/is-object.ts';
import type { Environment } from './environment.ts';
import type { ConfigPath } from './path.ts';
import type { Finding } from './problems.ts';
import { valueFromText } from './schema-walk.ts';

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;

/**
 * Replaces `${NAME}` in every string by the environment's value; `$${` stands for `${` itself. A
 * string that is one reference and nothing else takes the type of its place, so that
 * `"port": "${PORT}"` works.
 */
export function interpolate(
  value: unknown,
  environment: Environment,
  onFinding: (finding: Finding) => void,
  path: ConfigPath = [],
): unknown {
  if (typeof value === 'string') return interpolateText(value, environment, onFinding, path);
  if (Array.isArray(value)) {
    return value.map((entry, index) =>
      interpolate(entry, environment, onFinding, [...path, index]),
    );
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      interpolate(entry, environment, onFinding, [...path, key]),
    ]),
  );
}

/** The same value with `$${` for every `${`: what {@link interpolate} turns back into the value itself. */
export function escapeReferences(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', '$$$${');
  if (Array.isArray(value)) return value.map(escapeReferences);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, escapeReferences(entry)]),
  );
}

function interpolateText(
  text: string,
  environment: Environment,
  onFinding: (finding: Finding) => void,
  path: ConfigPath,
): unknown {
  let isWhole = false;
  const result = text.replaceAll(REFERENCE, (match, name: string | undefined) => {
    if (match === '$${') return '${';
    if (name === undefined) {
      onFinding({
        path,
        message: 'holds "${" without the name of an environment variable and "}"',
        remedy: 'Write ${NAME}, or $${ for the characters themselves',
      });
      return match;
    }
    const found = environment[name];
    if (found === undefined) {
      onFinding({
        path,
        message: `environment variable "${name}" is not set`,
        remedy: `Set ${name}, or write the value itself`,
      });
    }
    isWhole = match === text;
    return found ?? match;
  });
  return isWhole ? valueFromText(path, result) : result;
}
