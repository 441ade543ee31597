/** The HTTP server towards clients: its limits, where it listens, how it stops. Knows nothing of FHIR. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { ProxyError } from '../base/errors.ts';
import type { ListenConfig } from '../config/schema.ts';
import { createUpgradeGuard } from './after-upgrade.ts';
import { serveInTurn } from './in-turn.ts';
import { closeForeignPeers } from './loopback-only.ts';
import { createOwnTls } from './own-tls.ts';
import { createParserRefusals } from './parser-refusal.ts';
import { listenOnPort } from './port.ts';
import { listenOnSocket } from './unix-socket.ts';

/** A server that is not listening yet. */
export interface Listener {
  readonly server: Server;
  /** Listens as configured; resolves to the URL really bound, or to `unix:` and the path. Rejects with ConfigError when it cannot. */
  listen(): Promise<string>;
  /**
   * Takes no new connection, lets requests in flight end for at most `drainMs`, then closes what is
   * left; resolves to the number of connections that had to be cut.
   */
  stop(drainMs: number): Promise<number>;
  /**
   * Reads or makes the certificate that a new configuration means; resolves to a function that puts it in
   * use. Rejects with ConfigError.
   */
  prepare(config: ListenConfig): Promise<() => void>;
  stopping(): boolean;
}

/** How late a request that takes too long to arrive may be found, at most; Node's default is 30 s. */
const TIME_LIMIT_PRECISION_MS = 2000;

/**
 * Creates the server.
 *
 * @param serve gets every request that Node's parser lets through
 * @param onRefused gets what the parser did not let through
 */
export function createListener(
  config: ListenConfig,
  serve: RequestListener,
  onRefused: (error: ProxyError) => void,
): Listener {
  const { limits } = config;
  let stopping = false;
  let release: (() => Promise<void>) | undefined;
  const server = createLimitedServer(config);
  const ownTls = config.tls === undefined ? undefined : createOwnTls(server as SecureServer);
  const handshakes = followHandshakes(server, config);
  closeForeignPeers(server, onRefused);
  const inUse = followConnections(server, config);
  const mayFollow = createUpgradeGuard(onRefused);
  const closeUnused = (): void => {
    for (const [socket, answers] of inUse) if (answers.size === 0) socket.destroySoon();
  };

  const inTurn = serveInTurn(serve, onRefused);
  const serveAndRelease: RequestListener = (request, response) => {
    if (!mayFollow(request, response)) return;
    const answers = inUse.get(request.socket)?.add(response);
    response.on('close', () => {
      answers?.delete(response);
      // What was written last may still be on its way to the client.
      if (stopping) setImmediate(closeUnused);
    });
    inTurn(request, response);
  };
  server.on('request', serveAndRelease);
  // Without these listeners Node would answer 417 or 100 by itself, before the gate has seen the request.
  server.on('checkExpectation', serveAndRelease);
  server.on('checkContinue', serveAndRelease);

  const openAnswers = (socket: Duplex) => inUse.get(socket as Socket) ?? [];
  const refusals = createParserRefusals(limits, openAnswers, onRefused);
  server.on('clientError', (error, socket) => refusals.refuse(error, socket));
  server.on('connect', (_request, socket) => refusals.refuseConnect(socket));

  return {
    server,
    async listen() {
      const { socket } = config;
      (await ownTls?.prepare(config))?.();
      if (socket !== undefined) {
        release = await listenOnSocket(server, socket);
        return `unix:${socket}`;
      }
      const bound = await listenOnPort(server, config);
      release = bound.release;
      return `${config.tls === undefined ? 'http' : 'https'}://${bound.authority}`;
    },
    stopping: () => stopping,
    prepare: async (next) => (await ownTls?.prepare(next)) ?? (() => undefined),
    async stop(drainMs) {
      stopping = true;
      ownTls?.close();
      if (!server.listening) return 0;
      let cut = 0;
      const timer = setTimeout(() => {
        cut = inUse.size;
        for (const socket of inUse.keys()) socket.destroy();
      }, drainMs);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const released = release?.();
      closeUnused();
      for (const socket of handshakes.values()) socket.destroy();
      await closed;
      await released;
      clearTimeout(timer);
      return cut;
    },
  };
}

function createLimitedServer({ limits, tls }: ListenConfig): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: Math.min(limits.headersMs, limits.requestMs),
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(limits.headersMs, TIME_LIMIT_PRECISION_MS),
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(options)
      : createSecureServer({
          ...options,
          ALPNProtocols: ['http/1.1'],
          handshakeTimeout: Math.min(limits.headersMs, limits.requestMs),
        });
  // Node drops what is beyond its count without a word; one more than allowed lets the gate see it.
  server.maxHeadersCount = limits.headerCount + 1;
  return server;
}

/**
 * The open connections with the answers on them that have not ended: Node calls a connection idle
 * only once it has served a request. Connections on which nothing moves are closed, and those beyond
 * the limit.
 */
function followConnections(
  server: Server,
  { tls, limits: { connections, stalledMs } }: ListenConfig,
): ReadonlyMap<Socket, Set<ServerResponse>> {
  const inUse = new Map<Socket, Set<ServerResponse>>();
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // "maxConnections" of Node would count each address that is listened on by itself.
    if (inUse.size >= connections) {
      socket.destroy();
      return;
    }
    inUse.set(socket, new Set());
    socket.once('close', () => inUse.delete(socket));
  });
  server.timeout = stalledMs;
  server.on('timeout', (socket: Socket) => {
    const isIdle = inUse.get(socket)?.size === 0;
    // A request that waits for the upstream has all the time; a client that does not read has not.
    if (isIdle || socket.writableLength > 0) socket.destroy();
  });
  return inUse;
}

/** With TLS: the connections that have not agreed on keys yet, by what both sides of the handshake know of them. */
function followHandshakes(
  server: Server,
  { tls, limits }: ListenConfig,
): ReadonlyMap<string, Socket> {
  const handshakes = new Map<string, Socket>();
  if (tls === undefined) return handshakes;
  const nameOf = ({ localAddress, remoteAddress, remotePort }: Socket): string =>
    `${localAddress} ${remoteAddress} ${remotePort}`;
  server.on('connection', (socket) => {
    if (handshakes.size >= limits.connections) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    handshakes.set(name, socket);
    socket.once('close', () => handshakes.delete(name));
  });
  server.on('secureConnection', (socket: Socket) => handshakes.delete(nameOf(socket)));
  return handshakes;
}
