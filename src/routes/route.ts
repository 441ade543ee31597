/** One route made ready: its upstream (or sandbox), its tokens, its engine. Wires auth to forward. */
import type { ConnectionOptions } from 'node:tls';

import { Agent, Pool, type buildConnector, type Dispatcher } from 'undici';

import { createDiscovery, type Discovery } from '../auth/discovery.ts';
import type { SigningKey } from '../auth/signing-key.ts';
import { createTokenSource } from '../auth/token-source.ts';
import type { Clock, Logger, TokenRequestEnd, TokenSource } from '../base/contracts.ts';
import { settleAll } from '../base/settle-all.ts';
import type { RouteConfig } from '../config/schema.ts';
import { findExposedTlsKey, loadTlsOptions } from '../config/tls.ts';
import { createEngine, type Engine } from '../forward/engine.ts';
import { createOpenAnswers } from '../forward/open-answers.ts';
import { createReplayRule } from '../forward/replay.ts';
import { createTransport } from '../forward/transport.ts';
import { followErrorLog, type ErrorLogFollower } from '../hints/error-log/follow.ts';
import { type Destination, openDestination } from './destination.ts';
import { createLinks } from './links.ts';
import { loadRouteKey, type RouteKey } from './route-key.ts';
import {
  createServerVersionSource,
  type ServerVersion,
  type ServerVersionSource,
} from './server-version.ts';

/** Largest head of an upstream answer, in bytes; OpenEMR's are about 1 KiB. */
const MOST_HEAD_BYTES = 65_536;
/** OpenEMR's Apache closes idle connections after 5 s; ours are given up before. */
const KEEP_ALIVE_MS = 4_000;
/** Long enough for a token request right after discovery; a renewal, minutes later, meets no stale connection. */
const AUTH_KEEP_ALIVE_MS = 1_000;

/** A route in operation. */
export interface Route {
  readonly config: RouteConfig;
  /** Absolute URL of the upstream's FHIR base, without a slash at the end. */
  readonly fhirBase: string;
  /** Its path alone, to which a request target is appended; empty when the base is the origin. */
  readonly basePath: string;
  /** Client id at the authorization server. */
  readonly clientId: string;
  readonly key: SigningKey;
  /** When the key file was last changed, milliseconds since the epoch; undefined without a file. */
  readonly keyChangedAtMs: number | undefined;
  readonly tokens: TokenSource;
  readonly discovery: Discovery;
  /** What is known of the server's version; undefined until the first token was got. */
  serverVersion: () => ServerVersion | undefined;
  readonly engine: Engine;
  /** Whether the upstream is the embedded sandbox. */
  readonly sandbox: boolean;
  /** Where it leads; closed with the route. */
  readonly destination: Destination;
  /** The upstream's error log, if one can be read. */
  readonly errorLog: ErrorLogFollower | undefined;
  /** Its path, when it is a file. */
  readonly errorLogPath: string | undefined;
  /** Towards the upstream: connected sockets, requests on them, and requests that wait for one. */
  connections: () => { connected: number; running: number; waiting: number };
  /** Closes connections, timers and the sandbox; requests in flight fail. */
  close(): Promise<void>;
}

/** A route as people see it. */
export interface RouteDescription {
  path: string;
  /** FHIR base URL of the upstream. */
  upstream: string;
  sandbox: boolean;
  /** Whether any certificate is accepted. */
  insecure: boolean;
  /** Path of the upstream's error log, if one is known. */
  errorLog?: string;
}

/** What every route of a proxy shares. */
export interface RouteOptions {
  logger: Logger;
  clock: Clock;
  /** What the proxy adds to the `Via` field of whatever it sends; default nothing. */
  via?: string;
  /** Told how each token request of the route ended. */
  onTokenRequest?: (end: TokenRequestEnd) => void;
}

type Connect = buildConnector.BuildOptions;

/**
 * Makes a route ready; no request is sent yet. Rejects with ConfigError when key or certificates cannot be used.
 *
 * @param opened its destination, when that is open already; default: opened here
 */
export async function createRoute(
  config: RouteConfig,
  options: RouteOptions,
  opened?: Destination,
): Promise<Route> {
  const { logger, clock } = options;
  const { tls, destination, routeKey } = await loadInputs(config, logger, opened);
  const { key, changedAtMs } = routeKey;
  const url = new URL(destination.fhirBase);
  const connect: Connect = { ...(tls as Connect), timeout: config.timeouts.connectMs };
  const agent = new Agent({
    connect,
    connections: 2,
    keepAliveTimeout: AUTH_KEEP_ALIVE_MS,
    keepAliveMaxTimeout: AUTH_KEEP_ALIVE_MS,
  });
  const authDispatcher = agent.compose(addVia(options.via));
  const pool = createPool(url.origin, config, connect);
  const { tokens, discovery, version } = createTokens(config, destination, key, {
    dispatcher: authDispatcher,
    ...options,
  });
  const errorLog = openErrorLog(config, destination.errorLog, options);
  const transport = createTransport({
    pool,
    openAnswers:
      config.metadataCacheMs === 0
        ? undefined
        : createOpenAnswers({ pool, lifetimeMs: config.metadataCacheMs, now: () => clock.now() }),
    origin: url.origin,
    tokens,
    replayRule: createReplayRule({ tokens, clock }),
    links: createLinks(config, destination.fhirBase, discovery),
    logger,
    via: options.via,
    headMs: config.timeouts.headMs,
  });

  return {
    config,
    fhirBase: destination.fhirBase,
    basePath: url.pathname.replace(/\/$/, ''),
    clientId: destination.client.id,
    key,
    keyChangedAtMs: changedAtMs,
    tokens,
    discovery,
    serverVersion: () => version.known(),
    engine: createEngine(url, transport),
    sandbox: destination.sandbox,
    destination,
    errorLog,
    errorLogPath: destination.errorLog,
    connections() {
      const { connected, running, queued } = pool.stats;
      return { connected, running, waiting: queued };
    },
    async close() {
      version.close();
      await Promise.all([tokens.close(), errorLog?.close()]);
      await Promise.all([pool.destroy(), agent.destroy()]);
      await destination.close();
    },
  };
}

/** Everything that may be wrong with a route, so that all of it is told at once. */
async function loadInputs(
  config: RouteConfig,
  logger: Logger,
  opened: Destination | undefined,
): Promise<{ tls: ConnectionOptions; destination: Destination; routeKey: RouteKey }> {
  const at = `routes["${config.path}"].tls`;
  const opening = opened === undefined ? openDestination(config) : Promise.resolve(opened);
  const loadingTls = loadTlsOptions(config.tls, at);
  const loadingKey = opening.then(({ client }) => loadRouteKey(config.path, client, logger));
  try {
    await settleAll([loadingTls, opening, loadingKey]);
    const exposed = await findExposedTlsKey(config.tls);
    if (exposed !== undefined) logger.warn({ setting: `${at}.key` }, exposed);
    return { tls: await loadingTls, destination: await opening, routeKey: await loadingKey };
  } catch (error) {
    if (opened === undefined)
      await opening.then((destination) => destination.close()).catch(() => undefined);
    throw error;
  }
}

function openErrorLog(
  { errorLogCommand }: RouteConfig,
  path: string | undefined,
  shared: RouteOptions,
): ErrorLogFollower | undefined {
  if (errorLogCommand !== undefined) return followErrorLog({ command: errorLogCommand, ...shared });
  return path === undefined ? undefined : followErrorLog({ path, ...shared });
}

/** Token requests and discovery may come back to this proxy, too. */
function addVia(via: string | undefined): Dispatcher.DispatcherComposeInterceptor {
  if (via === undefined) return (dispatch) => dispatch;
  return (dispatch) => (options, handler) =>
    dispatch(
      { ...options, headers: { ...(options.headers as Record<string, string>), via } },
      handler,
    );
}

function createPool(origin: string, config: RouteConfig, connect: Connect): Pool {
  return new Pool(origin, {
    connect,
    connections: config.maxConnections,
    pipelining: 1,
    headersTimeout: config.timeouts.headMs,
    bodyTimeout: config.timeouts.idleMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MOST_HEAD_BYTES,
  });
}

function createTokens(
  config: RouteConfig,
  { fhirBase, client }: Destination,
  key: SigningKey,
  shared: RouteOptions & { dispatcher: Dispatcher },
): { tokens: TokenSource; discovery: Discovery; version: ServerVersionSource } {
  const options = {
    ...shared,
    timeoutMs: config.timeouts.tokenMs,
    hasAuthority: config.tls.ca !== undefined,
  };
  const discovery = createDiscovery({ ...options, fhirBase: new URL(fhirBase) });
  const version = createServerVersionSource({ ...options, fhirBase, discovery });
  const tokens = createTokenSource({
    ...options,
    onTokenRequest(end) {
      shared.onTokenRequest?.(end);
      // Only now is it sure that the server is there, and in use.
      if (end.outcome === 'granted') version.findSoon();
    },
    client: { id: client.id, scopes: client.scopes },
    key,
    discovery,
    ...(config.tokenEndpoint === undefined ? {} : { tokenEndpoint: config.tokenEndpoint }),
    ...(config.audience === undefined ? {} : { audience: config.audience }),
  });
  return { tokens, discovery, version };
}

/** Tells what people may know of a route. */
export function describeRoute({
  config,
  fhirBase,
  sandbox,
  errorLogPath,
}: Route): RouteDescription {
  return {
    path: config.path,
    upstream: fhirBase,
    sandbox,
    insecure: config.tls.insecure,
    ...(errorLogPath === undefined ? {} : { errorLog: errorLogPath }),
  };
}
