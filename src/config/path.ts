/** Where a value stands in the configuration: keys and indexes from the top. */
export type ConfigPath = readonly (string | number)[];

/** Longest key that a message repeats; no key of this program is longer, but a pasted secret is. */
export const LONGEST_SHOWN_KEY = 40;

/**
 * Writes a path as people write it in JavaScript, such as `routes[0].client.id`; the top is `$`. Of a
 * key that is too long to be one only its length is shown.
 */
export function formatPath(path: ConfigPath): string {
  if (path.length === 0) return '$';
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (step.length > LONGEST_SHOWN_KEY) return `[a key of ${step.length} characters]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** The value at a path, or undefined when nothing is there; never looks into prototypes. */
export function valueAt(value: unknown, path: ConfigPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) {
      return undefined;
    }
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

/**
 * Sets the value at a path and makes the objects and arrays on the way.
 * Does nothing when something else stands in the way: the schema reports that.
 */
export function setValueAt(
  target: Record<string, unknown>,
  path: ConfigPath,
  value: unknown,
): void {
  let current: Record<string | number, unknown> = target;
  for (const [index, step] of path.entries()) {
    if (index === path.length - 1) {
      current[step] = value;
      return;
    }
    current[step] ??= typeof path[index + 1] === 'number' ? [] : {};
    const next = current[step];
    if (typeof next !== 'object' || next === null) return;
    current = next as Record<string | number, unknown>;
  }
}
