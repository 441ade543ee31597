/** Which of the requested scopes a client gets. */
import type { SandboxClient } from '../exchange.ts';
import type { SandboxState } from '../versions/profile.ts';
import type { UnknownScope } from '../versions/profile.ts';

/**
 * An unknown scope fails the whole request; a known one that the client is not registered for is
 * dropped without a word.
 *
 * @param requested value of the `scope` parameter
 * @returns granted scopes, or the first unknown one
 */
export function grantScopes(
  requested: string,
  client: SandboxClient,
  { version, settings }: SandboxState,
): string[] | UnknownScope {
  const asked = requested
    .trim()
    .split(' ')
    .filter((scope) => scope !== '');
  const unknown = version.scopes.findUnknown(asked, settings);
  if (unknown !== undefined) return unknown;
  const registered = client.scope.split(' ');
  return [...new Set(asked)].filter((scope) => version.scopes.covers(registered, scope));
}
