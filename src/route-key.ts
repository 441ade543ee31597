import { readKeyText } from './auth/key-file.ts';
import { loadSigningKey, type SigningKey } from './auth/signing-key.ts';
import type { ClientConfig } from './config/schema.ts';
import type { Logger } from './contracts.ts';
import { ConfigError, ProxyError } from './errors.ts';

/**
 * Loads the signing key of a route; what is dangerous about its file is logged as a warning.
 * @param path - path of the route, for messages
 * @throws ConfigError when the key cannot be used
 */
export async function loadRouteKey(
  path: string,
  client: ClientConfig,
  logger: Logger,
): Promise<SigningKey> {
  try {
    const { text, warnings } = await readKeyText(client.key);
    for (const warning of warnings) logger.warn({ route: path }, warning);
    return await loadSigningKey(text, client.keyId === undefined ? {} : { keyId: client.keyId });
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const problem = { path: `routes["${path}"].client.key`, message: error.message };
    throw new ConfigError([problem], { cause: error });
  }
}
