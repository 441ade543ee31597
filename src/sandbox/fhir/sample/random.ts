/** Numbers that look random and are the same at every start: mulberry32, 32 bits of state. */

/** A seeded source of choices. */
export interface Random {
  /** In [0, 1). */
  next: () => number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** A number around `middle`, most within `spread` of it, none beyond twice that. */
  around(middle: number, spread: number): number;
  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
}

/** @param seed any whole number; equal seeds give equal sequences */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const integer = (low: number, high: number): number =>
    low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    // The mean of three even distributions, stretched: near enough to a bell curve, and bounded.
    around: (middle, spread) => middle + ((next() + next() + next()) / 1.5 - 1) * 2 * spread,
    pick<T>(items: readonly T[]): T {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new RangeError('nothing to pick from: the list is empty');
      return item;
    },
    chance: (probability) => next() < probability,
  };
}
