/** Which part of the configuration a path belongs to. */
import { ProxyError } from '../base/errors.ts';
import { JWKS_PATH } from '../base/own-paths.ts';
import { quoted } from './name-in-message.ts';

const SLASH = 0x2f;

/** Whether the proxy answers this path by itself. */
export function isReservedPath(path: string): boolean {
  if (path.charCodeAt(1) === 0x5f) return path === '/_proxy' || path.startsWith('/_proxy/');
  return path === '/' || path === JWKS_PATH;
}

/** Whether `path` is `base` or below it; `/fhirx` is not below `/fhir`. */
export function isBelow(path: string, base: string): boolean {
  return (
    path.startsWith(base) && (path.length === base.length || path.charCodeAt(base.length) === SLASH)
  );
}

/**
 * The refusal of a path outside every route (`route-unknown`, 404). Names the path's first segment
 * only when it is a plain word: anything else may be an id.
 *
 * @param bases paths of the routes, the first of them for the suggestion
 */
export function refusePath(path: string, bases: readonly string[]): ProxyError {
  const first = /^\/[A-Za-z._-]{1,40}(?=\/|$)/.exec(path)?.[0];
  const subject = first === undefined ? 'this path' : quoted(first);
  const routes = bases.map((base) => `"${base}"`).join(', ');
  const base = bases[0] ?? '';
  const suggestion =
    first !== undefined && /^\/(?:[A-Z][A-Za-z]+|metadata|\.well-known)$/.test(first)
      ? `. Did you mean "${base}${first}"?`
      : '';
  return new ProxyError(
    'route-unknown',
    `no route takes ${subject}: expected a path below ${routes}${suggestion}`,
    { status: 404 },
  );
}
