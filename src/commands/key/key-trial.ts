/** Whether the server takes a key: one token request, apart from every running proxy. */
import type { Hint } from '../../contracts.ts';
import { TokenError } from '../../errors.ts';
import { createRoute } from '../../route.ts';
import { explainTokenFailure } from '../route-failure.ts';
import type { Runtime } from '../runtime.ts';
import { createWarningLogger } from '../warning-logger.ts';
import type { RotatingRoute } from './rotating-route.ts';

/** Why a key was not taken. */
export interface TrialFailure {
  error: TokenError;
  hints: readonly Hint[];
}

/** Resolves to undefined when the server gave a token to the client of the route for this key. */
export async function tryKey(
  { config }: RotatingRoute,
  file: string,
  runtime: Runtime,
): Promise<TrialFailure | undefined> {
  const { publish: _, ...client } = config.client;
  const route = await createRoute(
    { ...config, client: { ...client, key: file } },
    { logger: createWarningLogger(runtime), clock: Date },
  );
  const startedAtMs = Date.now();
  try {
    await route.tokens.get();
    return undefined;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { error, hints: await explainTokenFailure(route, error, startedAtMs) };
  } finally {
    await route.close();
  }
}
