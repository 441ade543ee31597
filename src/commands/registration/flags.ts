/** Flags that are judged together, or with a file that they name. */
import type { ConnectionOptions } from 'node:tls';

import { guessFhirBases } from '../../auth/fhir-base.ts';
import { ConfigError, ProxyError } from '../../base/errors.ts';
import type { TlsConfig } from '../../config/schema.ts';
import { loadTlsOptions } from '../../config/tls.ts';
import { UsageError } from '../usage-error.ts';
import type { RegistrationArgs } from './arguments.ts';

/** The address of a server and the site, which are judged together. @throws UsageError */
export function assertAddress({ url, site }: Pick<RegistrationArgs, 'url' | 'site'>): void {
  const refusal = url === undefined ? undefined : refusalOfAddress(url, site);
  if (refusal !== undefined) throw new UsageError(refusal);
}

/** Why a text is not the address of a server; undefined when it is one. */
export function refusalOfAddress(text: string, site: string | undefined): string | undefined {
  try {
    guessFhirBases(text, site);
    return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error.message;
    throw error;
  }
}

/**
 * What a connection trusts, when the file is one of `--ca`.
 *
 * @throws UsageError that names the flag
 */
export async function loadTrust(
  tls: Pick<TlsConfig, 'ca' | 'serverName'>,
): Promise<ConnectionOptions> {
  try {
    return await loadTlsOptions({ insecure: false, ...tls }, '--ca');
  } catch (error) {
    const [problem] = error instanceof ConfigError ? error.problems : [];
    if (problem === undefined) throw error;
    throw new UsageError(`--ca: ${problem.message}`, problem.remedy, { cause: error });
  }
}
