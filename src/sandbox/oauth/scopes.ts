/** Which of the requested scopes a client gets. */
import type { SandboxClient, SandboxState } from '../exchange.ts';

/**
 * An unknown scope fails the whole request; a known one that the client is not registered for is
 * dropped without a word.
 *
 * @param requested value of the `scope` parameter
 * @returns granted scopes, or the first unknown one with those that are known
 */
export function grantScopes(
  requested: string,
  client: SandboxClient,
  state: SandboxState,
): string[] | { scope: string; knownScopes: readonly string[] } {
  const asked = requested
    .trim()
    .split(' ')
    .filter((scope) => scope !== '');
  const invalid = findUnknownScope(asked, state);
  if (invalid !== undefined) return invalid;
  const registered = new Set(client.scope.split(' '));
  return [...new Set(asked)].filter((scope) => registered.has(scope));
}

/** The first scope that the server does not know. */
export function findUnknownScope(
  scopes: readonly string[],
  state: SandboxState,
): { scope: string; knownScopes: readonly string[] } | undefined {
  const { version, settings } = state;
  const knownScopes = version.knownScopes(settings);
  const known = new Set(knownScopes);
  const scope = scopes.find((name) => !known.has(name) && !version.tolerates(name));
  return scope === undefined ? undefined : { scope, knownScopes };
}
