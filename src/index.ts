import type { Exchange as WholeExchange } from './base/contracts.ts';
import { ConfigError } from './base/errors.ts';
/**
 * The library face: the proxy inside a test or a script.
 *
 * @example
 * ```ts
 * await using proxy = await createProxy({ listen: { port: 0 }, routes: [{ path: '/fhir', upstream: 'sandbox' }] });
 * const bundle = await (await fetch(`${proxy.url}/fhir/Patient`)).json();
 * ```
 */
import { loadConfig } from './config/load.ts';
import type { ProxyConfigInput } from './config/schema.ts';
import { createLogger } from './observe/logger.ts';
import { createProxyServer } from './server.ts';

export { loadConfig, type LoadConfigOptions, type LoadedConfig } from './config/load.ts';
export type { ProxyConfig, ProxyConfigInput } from './config/schema.ts';
export type { ExchangeTimings, Hint, Certainty, Outcome, TokenOrigin } from './base/contracts.ts';
export {
  ConfigError,
  type ConfigProblem,
  ProxyError,
  TokenError,
  UpstreamError,
  type UpstreamErrorCode,
} from './base/errors.ts';
export type { Interaction, InteractionName } from './fhir/interaction.ts';
export type { RouteDescription } from './routes/route.ts';

/**
 * What is known of a request and its answer: no secret, no id and no parameter value; only with
 * `log.showValues` the request target.
 */
export type Exchange = Omit<WholeExchange, 'wire'>;

/** Settings of {@link createProxy}. */
export interface CreateProxyOptions {
  /** Folder from which relative paths in the configuration count; default the root of the file system, so give absolute ones. */
  cwd?: string;
  /** Where JSON log lines go; default nowhere. */
  log?: NodeJS.WritableStream;
  /** Called when an exchange is over. */
  onExchange?: (exchange: Exchange) => void;
}

/** A proxy that listens. */
export interface RunningProxy extends AsyncDisposable {
  /** URL really bound, without a slash at the end, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Stops gracefully: what is in flight may end within `drainMs` of the configuration. */
  close(): Promise<void>;
}

/**
 * Starts a proxy from a configuration as people write it; every default is filled in.
 *
 * @throws ConfigError with every problem at once, also when the port is in use
 */
export async function createProxy(
  input: ProxyConfigInput,
  options: CreateProxyOptions = {},
): Promise<RunningProxy> {
  const { onExchange } = options;
  const { config, warnings } = await loadConfig({
    text: JSON.stringify(input),
    file: 'configuration',
    cwd: options.cwd ?? '/',
  }).catch(withoutPlaces);
  const logger = createLogger({
    format: 'json',
    level: options.log === undefined ? 'silent' : config.log.level,
    stream: options.log ?? 2,
  });
  for (const warning of warnings) logger.warn({}, warning);
  const proxy = await createProxyServer(config, {
    logger,
    ...(onExchange === undefined
      ? {}
      : {
          onExchange({ ...exchange }) {
            delete exchange.wire;
            onExchange(exchange);
          },
        }),
  });
  const close = async (): Promise<void> => {
    await proxy.close();
    logger.flush();
  };
  try {
    const url = await proxy.listen();
    return { url, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await proxy.destroy();
    throw error;
  }
}

/** An object has no lines and columns. */
function withoutPlaces(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  const problems = error.problems.map(({ path, message, remedy }) => ({
    path,
    message,
    ...(remedy === undefined ? {} : { remedy }),
  }));
  throw new ConfigError(problems, { cause: error.cause });
}
