/** Listening on a port: of the address that is named, else of both loopback addresses. */
import type { Server } from 'node:http';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';

import { ConfigError } from '../base/errors.ts';
import { isMissingAddress, LOOPBACK_ADDRESSES, withBrackets } from '../config/host.ts';
import type { ListenConfig } from '../config/schema.ts';
import { assertBoundAsNamed } from './loopback-only.ts';

/** A port that is listened on. */
export interface BoundPort {
  /** Address and port really bound, as a URL has them; one of two: `127.0.0.1:8088`. */
  authority: string;
  /** Takes no further connections besides those of the server itself; resolves once that is so. */
  release: () => Promise<void>;
}

/** How often a free port of one address is tried on the other one. */
const MOST_TRIES = 20;

/**
 * Makes a server listen. Without a named host it takes both loopback addresses: `localhost` is `::1`
 * first for many clients, and for some nothing else. A machine may lack one of the two.
 *
 * @throws ConfigError that names the address that cannot be used
 */
export async function listenOnPort(server: Server, config: ListenConfig): Promise<BoundPort> {
  const { host, port } = config;
  if (host !== undefined) {
    const bound = await bindAddress(server, host, port);
    try {
      assertBoundAsNamed(server, config);
    } catch (error) {
      await closeServer(server);
      throw error;
    }
    return { authority: authorityOf(host, bound), release: () => Promise.resolve() };
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await bindBoth(server, port);
    } catch (error) {
      // The free port of the first address may be taken on the second one.
      const mayRetry = port === 0 && tries < MOST_TRIES && codeOf(error) === 'EADDRINUSE';
      if (!mayRetry) throw error;
    }
  }
}

async function bindBoth(server: Server, port: number): Promise<BoundPort> {
  const [first, second] = LOOPBACK_ADDRESSES;
  let bound: number;
  try {
    bound = await bindAddress(server, first, port);
  } catch (error) {
    if (!isMissingAddress(codeOf(error))) throw error;
    bound = await bindAddress(server, second, port);
    return { authority: authorityOf(second, bound), release: () => Promise.resolve() };
  }
  const authority = authorityOf(first, bound);
  const beside = createServer({ noDelay: true }, (socket: Socket) => {
    server.emit('connection', socket);
  });
  try {
    await bindAddress(beside, second, bound);
  } catch (error) {
    if (isMissingAddress(codeOf(error))) return { authority, release: () => Promise.resolve() };
    await closeServer(server);
    throw error;
  }
  return { authority, release: () => closeServer(beside) };
}

/** Resolves to the port really bound. */
function bindAddress(server: NetServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
  });
}

function authorityOf(host: string, port: number): string {
  return `${withBrackets(host)}:${port}`;
}

function codeOf(error: unknown): string {
  const { cause } = error as ConfigError;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const { code = 'unknown' } = error;
  const [message, remedy] = explainListenError(code, host, port);
  return new ConfigError([{ path: 'listen', message, remedy }], { cause: error });
}

function explainListenError(code: string, host: string, port: number): [string, string] {
  switch (code) {
    case 'EADDRINUSE':
      return [
        `port ${port} on "${host}" is in use by another program`,
        'Choose another with "--port", or "--port 0" for a free one',
      ];
    case 'EACCES':
      return [`port ${port} may not be used by this user`, 'Choose one above 1023 with "--port"'];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [
        `"${host}" is not an address of this machine`,
        'Choose another with "--host", usually 127.0.0.1',
      ];
    default:
      return [
        `cannot listen on "${host}" port ${port} (${code})`,
        'Choose others with "--host" and "--port"',
      ];
  }
}
