import type { ConfigProblem } from '../errors.ts';
import type { Overlay } from './environment.ts';
import type { ParsedJson } from './json.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { type Setting, VARIABLE_PREFIX, keysAt, schemaAt, settingsAt } from './settings.ts';

/** Something wrong with the value at a path of the merged configuration. */
export interface Finding {
  path: ConfigPath;
  message: string;
  /** Default: an example of a good value, in the words of the place that the value came from. */
  remedy?: string | undefined;
}

/** Collects findings and tells each in terms of where its value was given: file, environment or flag. */
export interface ProblemList {
  /** A second finding about the same value is dropped: it is mostly the echo of the first. */
  readonly add: (finding: Finding) => void;
  readonly problems: ConfigProblem[];
}

/** Makes an empty {@link ProblemList}. */
export function createProblemList(
  parsed: ParsedJson | undefined,
  overlays: readonly Overlay[],
): ProblemList {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  return {
    problems,
    add(finding) {
      const name = formatPath(finding.path);
      if (seen.has(name)) return;
      seen.add(name);
      problems.push(tell(finding, parsed, overlays));
    },
  };
}

function tell(
  { path, message, remedy }: Finding,
  parsed: ParsedJson | undefined,
  overlays: readonly Overlay[],
): ConfigProblem {
  // The last overlay wins: flags come after the environment.
  const overlay = overlays.findLast((candidate) => isPrefix(candidate.path, path));
  if (overlay !== undefined) {
    return { path: overlay.origin, message, remedy: remedy ?? overlayExample(overlay) };
  }
  const variables = path[0] === 'routes' && path[1] !== 0 ? [] : settingsAt(path);
  if (parsed === undefined && variables[0] !== undefined) {
    return {
      path: variables.map(({ variable }) => VARIABLE_PREFIX + variable).join(' or '),
      message,
      remedy: remedy ?? `Set it, for example to ${exampleText(variables[0])}`,
    };
  }
  const told = remedy ?? fileExample(path, variables);
  return {
    path: formatPath(path),
    message,
    ...(told === undefined ? {} : { remedy: told }),
    ...parsed?.positionOf(path, message.startsWith('unknown key') ? 'key' : 'value'),
  };
}

function overlayExample({ origin, setting }: Overlay): string {
  return origin.startsWith('--')
    ? `Write for example ${origin} ${exampleText(setting)}`
    : `Set it for example to ${exampleText(setting)}`;
}

function fileExample(path: ConfigPath, variables: readonly Setting[]): string | undefined {
  const setting = settingsAt(path)[0];
  if (setting === undefined) return keyList(path);
  const inFile = `Write for example ${JSON.stringify(path.at(-1))}: ${JSON.stringify(setting.example)}`;
  return variables.length === 0
    ? inFile
    : `${inFile}, or set ${variables.map(({ variable }) => VARIABLE_PREFIX + variable).join(' or ')}`;
}

function keyList(path: ConfigPath): string | undefined {
  if (schemaAt(path)?._zod.def.type === 'array') return keyList([...path, 0]);
  const keys = keysAt(path);
  if (keys.length > 0) return `Its keys are ${keys.map((key) => `"${key}"`).join(', ')}`;
  return typeof path.at(-1) === 'number' ? fileExample(path.slice(0, -1), []) : undefined;
}

function exampleText({ example }: Setting): string {
  return Array.isArray(example) ? `"${example.join(' ')}"` : String(example);
}

function isPrefix(prefix: ConfigPath, path: ConfigPath): boolean {
  return prefix.every((step, index) => step === path[index]);
}
