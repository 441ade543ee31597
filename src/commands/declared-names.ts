import type { Argv } from 'yargs';

/** What yargs knows of a parser's flags; public, but not in its types. */
interface Declared {
  getOptions(): {
    key: Record<string, unknown>;
    alias: Record<string, string[]>;
    boolean: string[];
  };
}

/** Names and aliases of the flags and positionals that a parser declares. */
export function declaredNames(parser: Argv<object>): string[] {
  const { key, alias } = (parser as unknown as Declared).getOptions();
  return [...Object.keys(key), ...Object.keys(alias), ...Object.values(alias).flat()];
}

/** Names of the flags that are either there or not. */
export function declaredSwitches(parser: Argv<object>): string[] {
  return (parser as unknown as Declared).getOptions().boolean;
}
