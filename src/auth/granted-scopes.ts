/** Compares what was granted with what was asked for. */
import type { AccessToken, Logger } from '../contracts.ts';
import { parseScope, type Scope } from '../fhir/scope.ts';

/**
 * Requested scopes that the granted ones do not cover. Spellings count as equal: `system/Patient.read`
 * is covered by `system/Patient.rs`, and by `system/Patient.r` and `system/Patient.s` together.
 */
export function missingScopes(requested: readonly string[], granted: readonly string[]): string[] {
  const parsed = granted.map(parseScope).filter((scope) => scope !== undefined);
  return requested.filter((text) => !granted.includes(text) && !covers(parsed, parseScope(text)));
}

function covers(granted: readonly Scope[], wanted: Scope | undefined): boolean {
  if (wanted === undefined) return false;
  const matching = granted.filter(
    (scope) =>
      scope.context === wanted.context &&
      (scope.resourceType === '*' || scope.resourceType === wanted.resourceType) &&
      (scope.restriction === undefined || scope.restriction === wanted.restriction),
  );
  if (wanted.operation !== undefined) {
    return matching.some(({ operation }) => operation === wanted.operation);
  }
  return Array.from(wanted.letters).every((letter) =>
    matching.some(({ letters }) => letters.includes(letter)),
  );
}

/** Tells the log about scopes that were asked for and not granted, once for each change. */
export function createGrantReport(logger: Logger): (token: AccessToken) => void {
  let told = '';
  return ({ requestedScopes, grantedScopes }) => {
    const missing = missingScopes(requestedScopes, grantedScopes);
    const key = missing.join(' ');
    if (key === told) return;
    told = key;
    if (missing.length === 0) {
      logger.info({ grantedScopes }, 'every scope asked for is granted again');
      return;
    }
    logger.warn(
      { missingScopes: missing, grantedScopes },
      `the authorization server did not grant "${missing.join('", "')}": requests that need it will be refused; register the client with it, or take it out of "client.scopes"`,
    );
  };
}
