/** Whether the proxy will be able to listen where its config file says. */
import { createServer } from 'node:net';

import { isMissingAddress, LOOPBACK_ADDRESSES } from '../../config/host.ts';
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
  for (const address of host === undefined ? LOOPBACK_ADDRESSES : [host]) {
    const code = await tryAddress(address, port);
    if (code === undefined || (host === undefined && isMissingAddress(code))) continue;
    const place = `port ${port} on "${address}"`;
    return code === 'EADDRINUSE' ? `${place} is in use` : `${place} cannot be used (${code})`;
  }
  return undefined;
}

/** Resolves to the error code of Node; undefined when it can be listened on. */
async function tryAddress(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, resolve);
    });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    server.close();
  }
}
