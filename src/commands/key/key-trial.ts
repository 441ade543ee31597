/** Whether the server takes a key: one token request a client, apart from every running proxy. */
import type { Hint } from '../../base/contracts.ts';
import { TokenError } from '../../base/errors.ts';
import type { ClientConfig, RouteConfig } from '../../config/schema.ts';
import { createRoute } from '../../routes/route.ts';
import { createWarningLogger } from '../loggers.ts';
import { explainTokenFailure } from '../route-failure.ts';
import type { Runtime } from '../runtime.ts';
import type { RotatingRoutes } from './rotating-routes.ts';

/** Why a key was not taken. */
export interface TrialFailure {
  error: TokenError;
  hints: readonly Hint[];
}

/**
 * Resolves to undefined when each client of the routes got a token for this key.
 * @throws the reason of `stop` as soon as it is aborted
 */
export async function tryKey(
  { routes }: RotatingRoutes,
  file: string,
  stop: AbortSignal,
  runtime: Runtime,
): Promise<TrialFailure | undefined> {
  for (const { config } of routes) {
    const failure = await tryAtRoute(config, file, stop, runtime);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function tryAtRoute(
  config: RouteConfig & { client: ClientConfig },
  file: string,
  stop: AbortSignal,
  runtime: Runtime,
): Promise<TrialFailure | undefined> {
  const { publish: _, ...client } = config.client;
  const route = await createRoute(
    { ...config, client: { ...client, key: file } },
    { logger: createWarningLogger(runtime), clock: Date },
  );
  const startedAtMs = Date.now();
  // Closing gives the request up, and with it the wait.
  const giveUp = () => void route.close();
  stop.addEventListener('abort', giveUp, { once: true });
  try {
    await route.tokens.get();
    return undefined;
  } catch (error) {
    stop.throwIfAborted();
    if (!(error instanceof TokenError)) throw error;
    return { error, hints: await explainTokenFailure(route, error, startedAtMs) };
  } finally {
    stop.removeEventListener('abort', giveUp);
    if (!stop.aborted) await route.close();
  }
}
