/** Where the server finds our public keys when their address is registered instead of them. */
import { hostname } from 'node:os';

import { JWKS_PATH } from '../../base/own-paths.ts';
import { isLoopbackHost, isWildcardHost, withBrackets } from '../../config/host.ts';
import type { RegistrationSession } from './session.ts';

/** Where the proxy listens by default. */
export const DEFAULT_LISTEN = { host: '127.0.0.1', port: 8088 } as const;

/**
 * The address of `--jwks-uri`; `auto` is the proxy's own.
 *
 * @param listen where the proxy will listen
 */
export function resolveJwksUri(
  { host, port }: { host: string; port: number },
  { args, dialogue }: RegistrationSession,
): string | undefined {
  const value = args['jwks-uri'];
  if (value === undefined) return undefined;
  const name = isWildcardHost(host) ? hostname() : withBrackets(host);
  const uri = value === 'auto' ? `http://${name}:${port}${JWKS_PATH}` : value;
  const { hostname: named } = new URL(uri);
  if (isLoopbackHost(named)) {
    dialogue.warn(
      `"${named}" in ${uri} is the server's own localhost: that works only if OpenEMR runs on this machine and not in a container. Else give --host and --jwks-uri with a name that it can reach`,
    );
  }
  return uri;
}
