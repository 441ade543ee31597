/**
 * The routes in operation. A new configuration replaces those that it changes while requests are
 * under way: each ends on the route that it began on, which is closed after the last of them.
 */
import type { SigningKey } from '../auth/signing-key.ts';
import type { Clock } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import { assertAllMade } from '../base/settle-all.ts';
import type { RouteConfig } from '../config/schema.ts';
import { createDiagnosis, type ServedRoute } from './diagnosis.ts';
import type { PublishedKeys } from './published-keys.ts';
import { digestRouteInputs } from './route-inputs.ts';
import { loadPublishedKeys } from './route-key.ts';
import { createRoute, type RouteOptions } from './route.ts';

/** A route that is being used. */
export type RouteInUse = ServedRoute & {
  /** Requests under way on it. */
  exchanges: number;
  /** Called when the last of them is over. */
  onIdle?: () => void;
};

/** What a new configuration means for the routes; paths. */
export interface RouteChanges {
  added: string[];
  /** Replaced, because settings, key or certificates are others now. */
  changed: string[];
  removed: string[];
}

/** Routes that are ready to take the place of others. */
export interface NextRoutes {
  readonly changes: RouteChanges;
  /** By the settings that they stand for. */
  readonly routes: ReadonlyMap<RouteConfig, RouteInUse>;
  /** Puts them in place; those that they replace are closed once idle. */
  adopt(): void;
}

/** The routes of one proxy. */
export interface RouteSet {
  /** In the order of the configuration. */
  current(): readonly RouteInUse[];
  /**
   * Makes routes ready for a configuration; those whose inputs are the same go on. Rejects with
   * ConfigError that holds the problems of every route, and leaves everything as it was.
   */
  prepare(configs: readonly RouteConfig[]): Promise<NextRoutes>;
  /** Closes all of them, those that were replaced and still in use included. */
  close(): Promise<void>;
}

/** How long a new route may take to get its first token before it takes the place of one that has one. */
const WARM_UP_MS = 5000;

/**
 * @param optionsOf what the route with this path is made with
 * @param shared.published gets the keys of the routes in place; refused tokens are explained with it
 */
export function createRouteSet(
  optionsOf: (path: string) => RouteOptions,
  { clock, published }: { clock: Clock; published: PublishedKeys },
): RouteSet {
  let inPlace = new Map<RouteConfig, RouteInUse>();
  const digests = new WeakMap<RouteInUse, string>();
  const open = new Set<RouteInUse>();
  let closed = false;

  const make = async (config: RouteConfig, digest: string): Promise<RouteInUse> => {
    const route = await createRoute(config, optionsOf(config.path));
    const made = { ...route, diagnosis: createDiagnosis(route, clock, published), exchanges: 0 };
    digests.set(made, digest);
    open.add(made);
    if (!closed) return made;
    await close(made);
    throw new ProxyError('proxy-stopping', 'no route can be made: the proxy is stopping');
  };
  const close = async (route: RouteInUse): Promise<void> => {
    if (open.delete(route)) await route.close();
  };
  const retire = (route: RouteInUse): void => {
    const end = (): void => void close(route).catch(() => undefined);
    if (route.exchanges === 0) end();
    else route.onIdle = end;
  };

  return {
    current: () => [...inPlace.values()],
    async prepare(configs) {
      const byPath = new Map([...inPlace.values()].map((route) => [route.config.path, route]));
      const results = await Promise.allSettled(
        configs.map(async (config) => {
          const digest = await digestRouteInputs(config);
          const old = byPath.get(config.path);
          return old !== undefined && digests.get(old) === digest ? old : make(config, digest);
        }),
      );
      const routes = results.map((result) =>
        result.status === 'fulfilled' ? result.value : undefined,
      );
      const isNew = (route: RouteInUse | undefined): route is RouteInUse =>
        route !== undefined && byPath.get(route.config.path) !== route;
      const made = routes.filter(isNew);
      let keys: SigningKey[];
      try {
        assertAllMade(results);
        keys = await loadKeysOf(routes as RouteInUse[], configs, optionsOf);
      } catch (error) {
        await Promise.all(made.map(close));
        throw error;
      }
      const next = new Map(configs.map((config, index) => [config, routes[index]!]));
      // A server that fetches the keys does so within the token request of the new key.
      published.publish(keys);
      await Promise.all(made.map((route) => warmUp(route, byPath.get(route.config.path))));
      return {
        changes: describeChanges(made, byPath, next),
        routes: next,
        adopt() {
          const kept = new Set(next.values());
          const replaced = [...inPlace.values()].filter((route) => !kept.has(route));
          inPlace = next;
          for (const route of replaced) retire(route);
        },
      };
    },
    async close() {
      closed = true;
      await Promise.all([...open].map(close));
    },
  };
}

/** The keys to publish for routes, in their order; the settings may be newer than those that a route was made with. */
async function loadKeysOf(
  routes: readonly RouteInUse[],
  configs: readonly RouteConfig[],
  optionsOf: (path: string) => RouteOptions,
): Promise<SigningKey[]> {
  const ofEach = configs.map(({ path, client }, index) =>
    loadPublishedKeys(path, routes[index]!.key, client, optionsOf(path).logger),
  );
  return (await Promise.all(ofEach)).flat();
}

/** Gets the first token of a route that replaces one with a token, so that no request waits for it. */
async function warmUp({ tokens }: RouteInUse, old: RouteInUse | undefined): Promise<void> {
  if (old?.tokens.state().state !== 'live') return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, WARM_UP_MS);
  });
  // The token source has logged why there is none; whoever asks will be told.
  await Promise.race([tokens.get().catch(() => undefined), late]);
  clearTimeout(timer);
}

function describeChanges(
  made: readonly RouteInUse[],
  before: ReadonlyMap<string, RouteInUse>,
  next: ReadonlyMap<RouteConfig, RouteInUse>,
): RouteChanges {
  const paths = made.map(({ config }) => config.path);
  const kept = new Set([...next.keys()].map(({ path }) => path));
  return {
    added: paths.filter((path) => !before.has(path)),
    changed: paths.filter((path) => before.has(path)),
    removed: [...before.keys()].filter((path) => !kept.has(path)),
  };
}
