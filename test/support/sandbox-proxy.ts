import type { TestContext } from 'node:test';

import { configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createProxyServer } from '../../src/server.ts';

/** Starts a silent proxy of the sandbox at `/fhir`, ended with the test; resolves to its URL. */
export async function startSandboxProxy(t: TestContext): Promise<string> {
  const config = configSchema.parse({
    listen: { port: 0 },
    routes: [{ path: '/fhir', upstream: 'sandbox' }],
  });
  const logger = createLogger({ format: 'json', level: 'silent', stream: 2 });
  const proxy = await createProxyServer(config, { logger });
  t.after(() => proxy.destroy());
  return proxy.listen();
}
