/** Whether the proxy will be able to listen where its config file says. */
import { createServer } from 'node:net';

import type { ListenConfig } from '../../config/schema.ts';

/**
 * Tries the place and leaves it again.
 *
 * @returns why nothing can listen there; undefined when something can, or when no port is meant
 */
export async function findPortRefusal({
  host,
  port,
  socket,
}: Pick<ListenConfig, 'host' | 'port' | 'socket'>): Promise<string | undefined> {
  if (socket !== undefined) return undefined;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, resolve);
    });
    return undefined;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const place = `port ${port} on "${host}"`;
    return code === 'EADDRINUSE' ? `${place} is in use` : `${place} cannot be used (${code})`;
  } finally {
    server.close();
  }
}
