import { distance } from 'fastest-levenshtein';

/**
 * The known word that was most likely meant by `word`, or undefined when no word is near.
 * Case does not count.
 *
 * @param most letters that may differ; default: a third of them, at least two
 */
export function suggest(
  word: string,
  known: readonly string[],
  most: number = Math.max(2, Math.ceil(word.length / 3)),
): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const candidate of known) {
    const candidateDistance = distance(wanted, candidate.toLowerCase());
    if (candidateDistance < bestDistance && candidateDistance < candidate.length) {
      best = candidate;
      bestDistance = candidateDistance;
    }
  }
  return best;
}
