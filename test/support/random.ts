/** Random choices that repeat: a failing fuzz run is run again by its seed. */
import { createRandom as createNumbers } from '../../src/sandbox/fhir/sample/random.ts';

/** Source of random choices. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** Whether something with this probability happens. */
  chance(probability: number): boolean;
}

/** A generator whose choices follow from the seed alone. */
export function createRandom(seed: number): Random {
  const { integer, pick, chance } = createNumbers(seed);
  return { below: (limit) => integer(0, limit - 1), pick, chance };
}
