/** Flags that are judged before anything is asked of anybody. */
import type { ConnectionOptions } from 'node:tls';

import { guessFhirBases } from '../../auth/fhir-base.ts';
import { ConfigError, ProxyError } from '../../base/errors.ts';
import type { TlsConfig } from '../../config/schema.ts';
import { loadTlsOptions } from '../../config/tls.ts';
import { UsageError } from '../usage-error.ts';
import { parseScopes, type RegistrationArgs } from './arguments.ts';
import { parseJwksUri } from './jwks-uri.ts';

type Judged = Pick<
  RegistrationArgs,
  'url' | 'site' | 'scopes' | 'jwks-uri' | 'pin-certificate' | 'ca'
>;

/** @throws UsageError that names the flag which is not well-formed */
export function assertFlags(args: Judged): void {
  if (args.url !== undefined) assertAddress(args.url, args.site);
  if (args.scopes !== undefined) parseScopes(args.scopes);
  if (args['jwks-uri'] !== undefined) parseJwksUri(args['jwks-uri']);
  if (args['pin-certificate'] !== undefined) assertPin(args['pin-certificate']);
}

function assertAddress(url: string, site: string | undefined): void {
  const refusal = refusalOfAddress(url, site);
  if (refusal !== undefined) throw new UsageError(refusal);
}

/** Why a text is no address of a server; undefined when it is one. */
export function refusalOfAddress(text: string, site: string | undefined): string | undefined {
  try {
    guessFhirBases(text, site);
    return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error.message;
    throw error;
  }
}

/** 32 bytes of SHA-256 in hexadecimal digits, with or without colons, as tools print them. */
const FINGERPRINT = /^(?:sha-?256[:=])?\s*(?:[\da-f]{2}[:\s]?){31}[\da-f]{2}$/i;

function assertPin(pin: string): void {
  if (pin === 'first' || FINGERPRINT.test(pin.trim())) return;
  throw new UsageError(
    `--pin-certificate is "${pin}": expected 32 bytes of SHA-256 such as "AB:CD:…", or "first"`,
    'openssl x509 -noout -fingerprint -sha256 -in CERT prints the one of a certificate',
  );
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
