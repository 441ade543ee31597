import { type Interaction, parseInteraction } from '../fhir/interaction.ts';

/**
 * The interaction behind a path that may be percent-encoded, of a direct call and of an entry of a Bundle
 * alike: servers decode it, so `%50atient` is `Patient`. Where both readings differ in whether they write,
 * it writes.
 *
 * @param path below the FHIR base, without query
 */
export function readInteraction(method: string, path: string): Interaction {
  const raw = parseInteraction(method, path);
  if (!path.includes('%')) return raw;
  const decoded = parseInteraction(method, decode(path));
  return raw.writes && !decoded.writes ? { ...decoded, writes: true } : decoded;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
