import type { z } from 'zod';

import { type ConfigPath, LONGEST_SHOWN_KEY } from './path.ts';
import type { Finding } from './problems.ts';
import { keysAt } from './schema-walk.ts';
import { suggest } from './suggest.ts';

const NOUNS: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in brackets',
  object: 'an object in braces',
};

/** Says in our words what zod found; values are never repeated, they may be secrets. */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `expected ${NOUNS[issue.expected] ?? issue.expected}, got ${nounOf(issue.input)}`;
    case 'too_small':
      if (issue.origin === 'string') return 'is empty';
      if (issue.origin === 'array') return 'expected at least one entry';
      return `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    case 'invalid_value':
      return `expected one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_union':
      return issue.input === undefined ? 'is missing' : 'expected "auto", or an object in braces';
    default:
      return undefined;
  }
};

/** Turns one issue into findings; unknown keys become one finding each. */
export function processIssue(issue: z.core.$ZodIssue): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_union') {
    // Of the alternatives, an object was meant when one was written: what is wrong inside of it helps.
    const inside = issue.errors.find((issues) =>
      issues.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    );
    if (inside !== undefined) {
      return inside.flatMap((each) =>
        processIssue({ ...each, path: [...issue.path, ...each.path] }),
      );
    }
  }
  return [{ path, message: issue.message }];
}

function unknownKey(parent: ConfigPath, key: string): Finding {
  const known = keysAt(parent);
  const remedy = `Known are ${known.map((name) => `"${name}"`).join(', ')}`;
  if (key.length > LONGEST_SHOWN_KEY) {
    return { path: parent, message: `unknown key of ${key.length} characters`, remedy };
  }
  const meant = suggest(key, known);
  return {
    path: [...parent, key],
    message: `unknown key "${key}"`,
    remedy: meant === undefined ? remedy : `Did you mean "${meant}"?`,
  };
}

function nounOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return 'an object';
  return Number.isInteger(value) ? 'a number' : 'a fraction';
}
