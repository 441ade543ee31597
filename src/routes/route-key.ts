import { readKeyText } from '../auth/key-file.ts';
import { loadSigningKey, type SigningKey } from '../auth/signing-key.ts';
import type { Logger } from '../base/contracts.ts';
import { ConfigError, ProxyError } from '../base/errors.ts';
import { settleAll } from '../base/settle-all.ts';
import type { ClientConfig } from '../config/schema.ts';

/** A signing key, and the age of its file. */
export interface RouteKey {
  key: SigningKey;
  /** When the key file was last changed, milliseconds since the epoch; undefined without a file. */
  changedAtMs: number | undefined;
}

/**
 * Loads the signing key of a route; what is dangerous about its file is logged as a warning.
 * @param path path of the route, for messages
 * @throws ConfigError when the key cannot be used
 */
export function loadRouteKey(
  path: string,
  { key, keyId }: ClientConfig,
  logger: Logger,
): Promise<RouteKey> {
  return loadKey(`${clientOf(path)}.key`, key, keyId, logger);
}

/**
 * The keys whose public halves are published for a client, in this order.
 * @param path path of the route, for messages
 * @param key signing key of the route
 * @param client as configured; undefined for the sandbox's
 * @throws ConfigError when a key cannot be used, or the signing key would not be published
 */
export async function loadPublishedKeys(
  path: string,
  key: SigningKey,
  client: ClientConfig | undefined,
  logger: Logger,
): Promise<readonly SigningKey[]> {
  const files = client?.publish;
  if (files === undefined) return [key];
  const at = `${clientOf(path)}.publish`;
  const loading = files.map(async (file, index) =>
    file === client?.key ? key : (await loadKey(`${at}[${index}]`, file, undefined, logger)).key,
  );
  await settleAll(loading);
  const published = await Promise.all(loading);
  if (published.some(({ kid }) => kid === key.kid)) return published;
  throw new ConfigError([
    {
      path: at,
      message: 'does not hold "client.key": no server could verify what it signs',
      remedy: 'Add it, as the first one for OpenEMR',
    },
  ]);
}

function clientOf(path: string): string {
  return `routes["${path}"].client`;
}

async function loadKey(
  at: string,
  value: string,
  keyId: string | undefined,
  logger: Logger,
): Promise<RouteKey> {
  try {
    const { text, warnings, changedAtMs } = await readKeyText(value);
    for (const warning of warnings) logger.warn({ setting: at }, warning);
    const name = text === value ? undefined : value;
    return { key: await loadSigningKey(text, { keyId, name }), changedAtMs };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    throw new ConfigError([{ path: at, message: error.message }], { cause: error });
  }
}
