/** The composition root: makes the rooms, wires them, listens and stops. The path of an exchange is in serve.ts. */
import type { Server } from 'node:http';

import { renewNow } from './auth/renew-now.ts';
import type { ProxyConfig, RouteConfig } from './config/schema.ts';
import type { Clock, Exchange } from './contracts.ts';
import { createDiagnosis, type ServedRoute } from './diagnosis.ts';
import { createGate } from './gate/gate.ts';
import { createListener } from './listener.ts';
import { createLoopMark } from './loop-mark.ts';
import { createObservation } from './observation.ts';
import type { LineLogger } from './observe/logger.ts';
import { createReservedPaths } from './reserved.ts';
import { createRoute, describeRoute, type RouteDescription } from './route.ts';
import { serve, type Rooms } from './serve.ts';

/** What a proxy needs besides its configuration. */
export interface ProxyServerOptions {
  logger: LineLogger;
  /** Time source; default the system's. */
  clock?: Clock;
  /** Called when an exchange is over, besides the log. */
  onExchange?: (exchange: Exchange) => void;
}

/** A proxy, ready to listen. */
export interface ProxyServer {
  /** The HTTP server; not listening before {@link ProxyServer.listen}. */
  readonly server: Server;
  /** Listens as configured; resolves to the URL really bound. Rejects with ConfigError when it cannot. */
  listen(): Promise<string>;
  /** Stops: no new connections, what is in flight may end within `drainMs`, then everything is closed. */
  close(): Promise<void>;
  /** Stops at once. */
  destroy(): Promise<void>;
  describe(): RouteDescription[];
  /** Gets a new token for every route, whatever the state of the old ones. Rejects with TokenError. */
  renewTokens(): Promise<void>;
}

/** Makes a proxy ready: keys read, sandbox started, nothing asked of any upstream yet. Rejects with ConfigError. */
export async function createProxyServer(
  config: ProxyConfig,
  { logger, clock = Date, onExchange }: ProxyServerOptions,
): Promise<ProxyServer> {
  const loopMark = createLoopMark();
  const routes = new Map<RouteConfig, ServedRoute>();
  for (const each of config.routes) {
    const route = await createRoute(each, {
      logger,
      clock,
      via: loopMark.via,
      onTokenRequest: (end) => observation.tokenRequested(each.path, end),
    });
    routes.set(each, { ...route, diagnosis: createDiagnosis(route, clock) });
  }
  const listener = createListener(
    config.listen,
    (request, response) => serve(rooms, request, response),
    ({ code, status, message }) => logger.info({ code, status }, `refused: ${message}`),
  );
  const observation = createObservation({
    config,
    logger,
    clock,
    routes: [...routes.values()],
    server: listener.server,
  });
  const rooms: Rooms = {
    gate: createGate({ listen: config.listen, routes: config.routes }),
    routes,
    clock,
    loopMark,
    answerReserved: createReservedPaths({
      routes: [...routes.values()],
      ready: () => !listener.stopping(),
      inspect: (...args) => observation.answer(...args),
    }),
    observation,
    ...(onExchange === undefined ? {} : { onExchange }),
  };

  const stop = async (drainMs: number): Promise<void> => {
    observation.close();
    const cut = await listener.stop(drainMs);
    if (cut > 0 && drainMs > 0) {
      logger.warn({ connections: cut }, 'stopped with requests still in flight');
    }
    await Promise.all([...routes.values()].map((route) => route.close()));
  };
  return {
    server: listener.server,
    listen: () => listener.listen(),
    close: () => stop(config.drainMs),
    destroy: () => stop(0),
    describe: () => [...routes.values()].map(describeRoute),
    async renewTokens() {
      await Promise.all([...routes.values()].map(({ tokens }) => renewNow(tokens)));
    },
  };
}
