/** Servers that break in one way each, in front of whatever asks them. */
import {
  createServer as createPlainServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';

import type { Certificate } from './certificates.ts';

/** A server that breaks. */
export interface BrokenServer {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string;
  /** Request heads that arrived so far. */
  heads: readonly string[];
  /** Connections that are open now. */
  open(): number;
  /** Resolves once none is. */
  idle(): Promise<void>;
}

/** What is done about a request head; `index` counts them from 0, over all connections. */
export type Breaking = (socket: Socket, request: { index: number; head: string }) => void;

/** What a test may set. */
export interface BrokenServerOptions {
  /** Speaks TLS with this certificate. */
  tls?: Certificate;
  /** What is answered to bytes that are no request, before the end. */
  greets?: string;
  /** Default 127.0.0.1. */
  address?: string;
  /** Default: a free one. */
  port?: number;
}

/** Starts it; closed when the test ends. */
export async function startBrokenServer(
  t: TestContext,
  breaking: Breaking,
  { tls, greets, address = '127.0.0.1', port: wanted = 0 }: BrokenServerOptions = {},
): Promise<BrokenServer> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  let tell = () => {};
  const take = (socket: Socket): void => {
    let pending = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      const end = pending.indexOf('\r\n\r\n');
      if (greets !== undefined && !/^[A-Z]/.test(pending)) socket.end(greets);
      if (end < 0 || !/^[A-Z]+ \S+ HTTP/.test(pending)) return;
      const head = pending.slice(0, end);
      pending = '';
      breaking(socket, { index: heads.push(head) - 1, head });
    });
  };
  const server: Server =
    tls === undefined ? createPlainServer(take) : createTlsServer({ ...tls }, take);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      tell();
    });
  });
  await new Promise<void>((resolve) => void server.listen(wanted, address, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    heads,
    open: () => sockets.size,
    async idle() {
      while (sockets.size > 0) await new Promise<void>((resolve) => (tell = resolve));
    },
  };
}
