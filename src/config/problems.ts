import type { ConfigProblem } from '../base/errors.ts';
import type { Overlay } from './environment.ts';
import type { ParsedJson } from './json.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { keysAt, schemaAt } from './schema-walk.ts';
import { exampleAt, settingsAt } from './settings.ts';

/** Something wrong with the value at a path of the merged configuration. */
export interface Finding {
  path: ConfigPath;
  message: string;
  /** Default: an example of a good value, in the words of the place that the value came from. */
  remedy?: string | undefined;
}

/** Collects findings and describes each by the place where its value was given: file, environment or flag. */
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
      problems.push(describe(finding, parsed, overlays));
    },
  };
}

function describe(
  { path, message, remedy }: Finding,
  parsed: ParsedJson | undefined,
  overlays: readonly Overlay[],
): ConfigProblem {
  // The last overlay wins: flags come after the environment.
  const overlay = overlays.findLast((candidate) => isPrefix(candidate.path, path));
  if (overlay !== undefined) {
    return { path: overlay.origin, message, ...orNothing(remedy ?? overlayExample(overlay)) };
  }
  const settings = path[0] === 'routes' && path[1] !== 0 ? [] : settingsAt(path);
  const variables = settings.map(({ variable }) => variable).join(' or ');
  if (parsed === undefined && variables !== '') {
    return {
      path: variables,
      message,
      ...orNothing(remedy ?? prefixed('Set it for example to ', textExample(path))),
    };
  }
  return {
    path: formatPath(path),
    message,
    ...orNothing(remedy ?? fileExample(path, variables)),
    ...parsed?.positionOf(path, message.startsWith('unknown key') ? 'key' : 'value'),
  };
}

function orNothing(remedy: string | undefined): { remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}

function prefixed(start: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : start + text;
}

function overlayExample({ origin, path }: Overlay): string | undefined {
  const start = origin.startsWith('--') ? `Write for example ${origin} ` : 'Set it for example to ';
  return prefixed(start, textExample(path));
}

function fileExample(path: ConfigPath, variables: string): string | undefined {
  const example = exampleAt(path);
  if (example === undefined || typeof path.at(-1) === 'number') return keyList(path);
  const inFile = `Write for example ${JSON.stringify(path.at(-1))}: ${JSON.stringify(example)}`;
  return variables === '' ? inFile : `${inFile}, or set ${variables}`;
}

function keyList(path: ConfigPath): string | undefined {
  if (schemaAt(path)?._zod.def.type === 'array') return keyList([...path, 0]);
  const keys = keysAt(path);
  if (keys.length > 0) return `Its keys are ${keys.map((key) => `"${key}"`).join(', ')}`;
  return typeof path.at(-1) === 'number' ? fileExample(path.slice(0, -1), '') : undefined;
}

/** An example as environment and command line have it. */
function textExample(path: ConfigPath): string | undefined {
  const example = exampleAt(path);
  if (Array.isArray(example)) return `"${example.join(' ')}"`;
  return typeof example === 'string' ? example : JSON.stringify(example);
}

function isPrefix(prefix: ConfigPath, path: ConfigPath): boolean {
  return prefix.every((step, index) => step === path[index]);
}
