import type { Argv } from 'yargs';

/** Names and aliases of the flags and positionals that a parser declares. */
export function declaredNames(parser: Argv<object>): string[] {
  // Public, but not in yargs' types.
  const { key, alias } = (
    parser as unknown as {
      getOptions(): { key: Record<string, unknown>; alias: Record<string, string[]> };
    }
  ).getOptions();
  return [...Object.keys(key), ...Object.keys(alias), ...Object.values(alias).flat()];
}
