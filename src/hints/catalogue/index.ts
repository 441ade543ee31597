/** The catalogue of failures, most specific first. */
import { CLIENT_ENTRIES } from './client.ts';
import type { CatalogueEntry } from './entry.ts';

/** Every entry; the order decides between hints that are equally sure. */
export const CATALOGUE: readonly CatalogueEntry[] = [...CLIENT_ENTRIES];

const byId = new Map(CATALOGUE.map((entry) => [entry.id, entry]));

/** The entry with this id, or undefined. */
export function findEntry(id: string): CatalogueEntry | undefined {
  return byId.get(id);
}
