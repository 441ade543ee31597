/** Puts together what is seen of exchanges: log, metrics, recorder and the inspector that shows them. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { renewNow } from '../auth/renew-now.ts';
import type { Clock, Exchange, TokenRequestEnd } from '../base/contracts.ts';
import type { ProxyError } from '../base/errors.ts';
import { HINTS_PATH } from '../base/own-paths.ts';
import { readVersion } from '../base/version.ts';
import type { PublicBase } from '../config/public-base.ts';
import type { ProxyConfig } from '../config/schema.ts';
import { createExchangeLog } from '../observe/exchange-log.ts';
import type { CheckResult } from '../observe/inspector/actions.ts';
import { createInspector } from '../observe/inspector/inspector.ts';
import type { RouteState } from '../observe/inspector/overview.ts';
import type { LineLogger } from '../observe/logger.ts';
import { createMetrics, type ConnectionCounts } from '../observe/metrics.ts';
import { createRecorder } from '../observe/recorder.ts';
import type { ServedRoute } from '../routes/diagnosis.ts';
import type { Route } from '../routes/route.ts';

/** What the observation is made of. */
export interface ObservationOptions {
  config: ProxyConfig;
  logger: LineLogger;
  clock: Clock;
  /** The routes of the moment. */
  routes: () => readonly ServedRoute[];
  /** The server towards clients. */
  server: Server;
  /** What a client calls the proxy by. */
  publicBase: PublicBase;
  /** The proxy's own base for people at this machine; empty while it does not listen on a port. */
  ownBase: () => string;
  /** Runs the checks of a route that is in operation. */
  checkRoute: (route: Route) => Promise<CheckResult[]>;
}

/** Sees every exchange, and shows what it saw. */
export interface Observation {
  /** A request for a route has arrived, or was refused: it will be shown. */
  started(exchange: Exchange, request: IncomingMessage): void;
  /** An exchange is over; for those that were not started, only the log is told. */
  finished(exchange: Exchange): void;
  /** What came over a connection was refused before it became a request: log and metrics are told. */
  unparsedRefused(error: ProxyError): void;
  /** A token request of a route has ended. */
  tokenRequested(route: string, end: TokenRequestEnd): void;
  /** Answers a path of the inspector; false when it is none. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): boolean;
  /** Ends the streams of open inspector pages. */
  close(): void;
}

/** Creates the observation of a proxy. */
export function createObservation(options: ObservationOptions): Observation {
  const { config, logger, clock, routes, server, publicBase, ownBase, checkRoute } = options;
  const version = readVersion();
  const { showValues } = config.log;
  const now = () => clock.now();
  const logExchange = createExchangeLog({
    logger,
    showValues,
    // A reload may change how many there are.
    showRoute: () => routes().length > 1,
    hintUrl: (id) => `${ownBase()}${HINTS_PATH}${id}`,
    clock,
  });
  const describe = createRouteStates(routes);
  const recorder = createRecorder({ showValues, now });
  const metrics = createMetrics({
    version,
    now,
    tokenStates: () =>
      routes().map(({ config, tokens }) => ({ route: config.path, state: tokens.state() })),
    connections: countConnections(routes, server),
  });
  const inspector = createInspector({
    version,
    publicBase,
    recorder,
    metrics,
    routes: describe,
    now,
    actions: {
      async renew(path) {
        const route = routes().find(({ config }) => config.path === path);
        if (route !== undefined) await renewNow(route.tokens);
      },
      async check(path) {
        const route = routes().find(({ config }) => config.path === path);
        return route === undefined ? [] : checkRoute(route);
      },
    },
  });

  return {
    started(exchange, request) {
      exchange.wire = recorder.openWire(request.url ?? '', request.rawHeaders);
      if (showValues) exchange.target = request.url ?? '';
      recorder.started(exchange);
      metrics.exchangeStarted();
    },
    finished(exchange) {
      logExchange(exchange);
      if (exchange.wire === undefined) return;
      recorder.finished(exchange);
      metrics.exchangeFinished(exchange);
    },
    unparsedRefused({ code, status, message }) {
      logger.info({ code, status }, `refused: ${message}`);
      metrics.unparsedRefused(code);
    },
    tokenRequested: (route, end) => metrics.tokenRequested(route, end),
    answer: (request, response, path) => inspector.handle(request, response, path),
    close: () => inspector.close(),
  };
}

/** Counts connections on both sides. */
function countConnections(routes: () => readonly Route[], server: Server): () => ConnectionCounts {
  let clients = 0;
  server.on('connection', (socket) => {
    clients += 1;
    socket.once('close', () => (clients -= 1));
  });
  return () => ({
    clients,
    upstreams: routes().map(({ config, connections }) => ({
      route: config.path,
      ...connections(),
    })),
  });
}

/** Tells the state of every route. */
function createRouteStates(routes: () => readonly ServedRoute[]): () => RouteState[] {
  return () =>
    routes().map((route) => {
      const { config, fhirBase, sandbox, key, keyChangedAtMs } = route;
      const token = route.tokens.state();
      const { lastError } = token;
      const server = route.serverVersion();
      return {
        path: config.path,
        upstream: fhirBase,
        sandbox,
        insecure: config.tls.insecure,
        ...(server === undefined || server.source === 'assumed'
          ? {}
          : { server: server.label, v2Scopes: server.modern }),
        token,
        hints: lastError === undefined ? [] : route.diagnosis.hintsOf(lastError),
        key: {
          id: key.kid,
          algorithm: key.alg,
          ...(keyChangedAtMs === undefined ? {} : { changedAtMs: keyChangedAtMs }),
        },
      };
    });
}
