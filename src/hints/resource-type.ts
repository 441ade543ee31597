/** The resource type that somebody meant who wrote another. */
import { suggest } from '../config/suggest.ts';

/** A short name is another one after two changes: "Test" is no "List". */
const SHORT = 4;

/** The known type that differs from a name in case only, or else by a letter or two; undefined when none does. */
export function nearestResourceType(name: string, known: readonly string[]): string | undefined {
  return suggest(name, known, name.length <= SHORT ? 1 : 2);
}
