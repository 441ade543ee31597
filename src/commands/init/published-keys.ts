/** Where the server finds our public keys when their address is registered instead of them. */
import { hostname } from 'node:os';

import { isHttpUrl } from '../../config/http-url.ts';
import { isLoopbackHost, isWildcardHost, withBrackets } from '../../config/loopback.ts';
import type { ProxyConfig } from '../../config/schema.ts';
import { ConfigError } from '../../errors.ts';
import { JWKS_PATH } from '../../published-keys.ts';
import { createProxyServer } from '../../server.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import { createProxyLogger } from '../warning-logger.ts';
import type { Dialogue } from './dialogue.ts';

/**
 * The address of `--jwks-uri`; `auto` is the proxy's own.
 *
 * @param listen where the proxy will listen
 */
export function resolveJwksUri(
  value: string | undefined,
  { host, port }: { host: string; port: number },
  dialogue: Dialogue,
): string | undefined {
  if (value === undefined) return undefined;
  if (value !== 'auto' && !isHttpUrl(value)) {
    throw new UsageError(`--jwks-uri is "${value}": expected "auto" or an http or https URL`);
  }
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

/** Runs `act` while the proxy of the configuration listens where it is configured to, so that the server can fetch the keys. */
export async function whilePublished<T>(
  config: ProxyConfig,
  dialogue: Dialogue,
  runtime: Runtime,
  act: () => Promise<T>,
): Promise<T> {
  const logger = createProxyLogger(runtime, 'error');
  const proxy = await createProxyServer(config, { logger });
  try {
    dialogue.step(`the public keys are at ${await proxy.listen()}${JWKS_PATH}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    dialogue.warn(
      `the keys cannot be published from here: ${error.message}. Fine if that is this proxy, running already`,
    );
  }
  try {
    return await act();
  } finally {
    await proxy.destroy();
    logger.flush();
  }
}
