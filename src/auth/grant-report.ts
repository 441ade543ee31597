/** Tells when the server grants less than was asked for. */
import type { AccessToken, Logger } from '../base/contracts.ts';
import { missingScopes } from '../fhir/scope.ts';

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
