/** Which token endpoint the config file names: where client assertions go is never decided by a server alone. */
import { isSameService } from '../../auth/same-service.ts';
import type { ReachedServer } from '../registration/server.ts';
import { UsageError } from '../usage-error.ts';
import type { InitSession } from './session.ts';

/**
 * The value of the setting `tokenEndpoint`: that of `--token-endpoint`; OpenEMR's own at the address of the
 * FHIR base; else one elsewhere that the user confirms. Undefined when none has to be written.
 *
 * @throws UsageError when it is not confirmed, or not https although the FHIR base is
 */
export async function chooseTokenEndpoint(
  { description }: Pick<ReachedServer, 'description'>,
  { args, dialogue }: InitSession,
): Promise<string | undefined> {
  const { fhirBase, tokenEndpoint, reachableTokenEndpoint } = description;
  const given = args['token-endpoint'];
  const base = new URL(fhirBase);
  if (given !== undefined) {
    assertNotDowngraded(given, base, '--token-endpoint is');
    return given;
  }
  const announced = new URL(tokenEndpoint);
  if (announced.origin === base.origin) return undefined;
  // The server's own name for it stays the audience; discovery gives that.
  if (reachableTokenEndpoint !== undefined) return reachableTokenEndpoint;
  if (isSameService(announced, base)) return undefined;
  assertNotDowngraded(tokenEndpoint, base, 'the server announces the token endpoint');
  dialogue.note('The server announces a token endpoint at another address', [
    `FHIR base       ${fhirBase}`,
    `token endpoint  ${tokenEndpoint}`,
  ]);
  const isConfirmed = await dialogue.askConfirm({
    flag: '--token-endpoint',
    message: `Does ${announced.host} issue the tokens of this server? The proxy will prove itself there`,
    expected: `the URL of the token endpoint, such as "${tokenEndpoint}" if that is where tokens are issued`,
  });
  if (isConfirmed) return tokenEndpoint;
  throw new UsageError(
    'the token endpoint is not confirmed',
    'Name the right one with --token-endpoint URL',
  );
}

function assertNotDowngraded(endpoint: string, base: URL, what: string): void {
  if (base.protocol !== 'https:' || new URL(endpoint).protocol === 'https:') return;
  throw new UsageError(
    `${what} "${endpoint}": expected https, since the FHIR base is https`,
    'Name the https address with --token-endpoint URL',
  );
}
