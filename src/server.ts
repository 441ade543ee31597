/** The composition root: makes the rooms, wires them, listens and stops. The path of an exchange is in serve.ts. */
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import { renewNow } from './auth/renew-now.ts';
import type { Clock, Exchange, Logger } from './base/contracts.ts';
import { ownAddress } from './config/host.ts';
import { createPublicBase, withoutFinalSlash } from './config/public-base.ts';
import type { ListenConfig, ProxyConfig } from './config/schema.ts';
import { createLoopMark } from './exchange/loop-mark.ts';
import { createObservation } from './exchange/observation.ts';
import { createReservedPaths } from './exchange/reserved-paths.ts';
import { serve, type Rooms } from './exchange/serve.ts';
import { createBodyMemory } from './forward/body-memory.ts';
import { createGate } from './gate/gate.ts';
import { createListener, type Listener } from './listen/listener.ts';
import type { LineLogger } from './observe/logger.ts';
import { createPublishedKeys } from './routes/published-keys.ts';
import { findRestartSettings } from './routes/restart-settings.ts';
import { createRouteSet, type NextRoutes, type RouteChanges } from './routes/route-set.ts';
import { describeRoute, type RouteDescription } from './routes/route.ts';

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
  /**
   * Stops: `readyz` answers 503 from now on, and for `stopDelayMs` that is all; then no new
   * connections, what is in flight may end within `drainMs`, then everything is closed.
   */
  close(): Promise<void>;
  /** Stops at once. */
  destroy(): Promise<void>;
  describe(): RouteDescription[];
  /**
   * Takes over a new configuration for the requests to come; those under way end on what they began
   * with. Rejects with ConfigError, and leaves everything as it was, when keys or certificates
   * cannot be used.
   */
  reload(next: ProxyConfig): Promise<ReloadReport>;
  /** Gets a new token for every route, whatever the state of the old ones. Rejects with TokenError. */
  renewTokens(): Promise<void>;
}

/** What a reload did. */
export interface ReloadReport extends RouteChanges {
  /** Settings that differ from those at the start and cannot be changed while running, such as `listen.port`. */
  needsRestart: string[];
}

type StopTimes = Pick<ProxyConfig, 'stopDelayMs' | 'drainMs'>;

/** Makes a proxy ready: keys read, sandbox started, nothing asked of any upstream yet. Rejects with ConfigError. */
export async function createProxyServer(
  config: ProxyConfig,
  { logger, clock = Date, onExchange }: ProxyServerOptions,
): Promise<ProxyServer> {
  const loopMark = createLoopMark();
  const published = createPublishedKeys(clock);
  const routes = createRouteSet(
    (path) => ({
      logger,
      clock,
      via: loopMark.via,
      onTokenRequest: (end) => observation.tokenRequested(path, end),
    }),
    { clock, published },
  );
  const listener = createListener(
    config.listen,
    (request, response) => serve(rooms, request, response),
    (error) => observation.unparsedRefused(error),
  );
  const observation = createObservation({
    config,
    logger,
    clock,
    routes: () => routes.current(),
    server: listener.server,
    publicBase: (request) => rooms.publicBase(request),
    ownBase: () => ownBase(listener.server, current.listen),
    async checkRoute(route) {
      const { checkRunningRoute } = await import('./doctor/running-route.ts');
      return checkRunningRoute(config, route, clock);
    },
  });
  let isReady = true;
  let current = config;
  const rooms: Rooms = {
    ...adopt(await routes.prepare(config.routes), config),
    answerReserved: createReservedPaths({
      keys: published,
      ready: () => isReady,
      inspect: (...args) => observation.answer(...args),
    }),
    clock,
    loopMark,
    observation,
    bodyMemory: createBodyMemory(config.listen.limits.heldBytes),
    mostInFlight: config.listen.limits.inFlight,
    ...(onExchange === undefined ? {} : { onExchange }),
  };

  let reloading: Promise<unknown> = Promise.resolve();
  const stop = async ({ stopDelayMs, drainMs }: StopTimes): Promise<void> => {
    isReady = false;
    if (stopDelayMs > 0 && listener.server.listening) await delay(stopDelayMs);
    observation.close();
    await stopListening(listener, drainMs, logger);
    await routes.close();
  };
  return {
    server: listener.server,
    listen: () => listener.listen(),
    close: () => stop(current),
    destroy: () => stop({ stopDelayMs: 0, drainMs: 0 }),
    describe: () => routes.current().map(describeRoute),
    reload(next) {
      const result = reloading.then(async () => {
        const adoptCertificate = await listener.prepare(next.listen);
        const prepared = await routes.prepare(next.routes);
        adoptCertificate();
        Object.assign(rooms, adopt(prepared, next));
        current = next;
        return { ...prepared.changes, needsRestart: findRestartSettings(config, next) };
      });
      reloading = result.catch(() => undefined);
      return result;
    },
    async renewTokens() {
      await Promise.all(routes.current().map(({ tokens }) => renewNow(tokens)));
    },
  };
}

/** The proxy's own base for people at this machine; empty while it does not listen on a port. */
function ownBase(server: Server, listen: ListenConfig): string {
  const { publicUrl } = listen;
  if (publicUrl !== undefined) return withoutFinalSlash(publicUrl);
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return ownAddress(listen, address.port);
}

async function stopListening(listener: Listener, drainMs: number, logger: Logger): Promise<void> {
  const cut = await listener.stop(drainMs);
  if (cut === 0 || drainMs === 0) return;
  logger.warn({ connections: cut }, 'stopped with requests still in flight');
}

/** Puts routes in place; gives what else of the path of an exchange follows from the configuration. */
function adopt(
  next: NextRoutes,
  { listen, routes }: ProxyConfig,
): Pick<Rooms, 'gate' | 'routes' | 'publicBase'> {
  next.adopt();
  return {
    gate: createGate({ listen, routes }),
    routes: next.routes,
    publicBase: createPublicBase(listen),
  };
}
