import { readKeyText } from './auth/key-file.ts';
import { loadSigningKey, type SigningKey } from './auth/signing-key.ts';
import type { ClientConfig } from './config/schema.ts';
import type { Logger } from './contracts.ts';
import { ConfigError, ProxyError } from './errors.ts';

/** A signing key, and the age of its file. */
export interface RouteKey {
  key: SigningKey;
  /** When the key file was last changed, milliseconds since the epoch; undefined without a file. */
  changedAtMs: number | undefined;
}

/**
 * Loads the signing key of a route; what is dangerous about its file is logged as a warning.
 * @param path - path of the route, for messages
 * @throws ConfigError when the key cannot be used
 */
export async function loadRouteKey(
  path: string,
  client: ClientConfig,
  logger: Logger,
): Promise<RouteKey> {
  try {
    const { text, warnings, changedAtMs } = await readKeyText(client.key);
    for (const warning of warnings) logger.warn({ route: path }, warning);
    const options = client.keyId === undefined ? {} : { keyId: client.keyId };
    return { key: await loadSigningKey(text, options), changedAtMs };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const problem = { path: `routes["${path}"].client.key`, message: error.message };
    throw new ConfigError([problem], { cause: error });
  }
}
