/** A proxy that a command starts where its configuration says, so that a server can fetch our public keys. */
import { ConfigError } from '../base/errors.ts';
import { JWKS_PATH } from '../base/own-paths.ts';
import type { ProxyConfig } from '../config/schema.ts';
import { createProxyServer, type ReloadReport } from '../server.ts';
import { createProxyLogger } from './loggers.ts';
import type { Runtime } from './runtime.ts';

/** The proxy, and whether the keys can be fetched from it. */
export interface PublishingProxy {
  /** Address of the published keys; undefined when the proxy could not listen. */
  readonly url: string | undefined;
  /** Why it could not. */
  readonly refusal: string | undefined;
  readonly reload: (config: ProxyConfig) => Promise<ReloadReport>;
  readonly close: () => Promise<void>;
}

/** Starts it. When it cannot listen, as beside a proxy that runs already, it resolves all the same, without a URL. */
export async function startPublishingProxy(
  config: ProxyConfig,
  runtime: Runtime,
): Promise<PublishingProxy> {
  const logger = createProxyLogger(runtime, 'error');
  const proxy = await createProxyServer(config, { logger });
  const close = async (): Promise<void> => {
    await proxy.destroy();
    logger.flush();
  };
  const reload = (changed: ProxyConfig) => proxy.reload(changed);
  const common = { reload, close };
  try {
    return { ...common, url: `${await proxy.listen()}${JWKS_PATH}`, refusal: undefined };
  } catch (error) {
    if (error instanceof ConfigError) return { ...common, url: undefined, refusal: error.message };
    await close();
    throw error;
  }
}
