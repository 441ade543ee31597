/** Asks the server for the first time, through a proxy made of the new configuration. */
import { callableHost } from '../../config/host.ts';
import type { ProxyConfig, RouteConfig } from '../../config/schema.ts';
import { ProxyError } from '../../errors.ts';
import { parseScope } from '../../fhir/scope.ts';
import { createProxyServer } from '../../server.ts';
import { createProxyLogger } from '../loggers.ts';
import type { Runtime } from '../runtime.ts';

/** The first FHIR answer. */
export interface FirstAnswer {
  /** What was asked, after the route's path: `/Patient?_count=1`. */
  target: string;
  status: number;
  body: string;
}

const TIMEOUT_MS = 60_000;

/** A search that the granted scopes allow, Patient first; else the capabilities, which need none. */
export function buildFirstTarget(granted: readonly string[]): string {
  const types = granted
    .map(parseScope)
    .filter((scope) => scope?.letters.includes('s') === true && scope.resourceType !== '*')
    .map((scope) => scope?.resourceType);
  const type = types.includes('Patient') ? 'Patient' : types[0];
  return type === undefined ? '/metadata' : `/${type}?_count=1`;
}

/** @throws ProxyError `first-answer-missing` when the proxy could not be asked */
export async function requestFirstAnswer(
  config: ProxyConfig,
  route: RouteConfig,
  target: string,
  runtime: Runtime,
): Promise<FirstAnswer> {
  const logger = createProxyLogger(runtime, 'error');
  // A port of its own: the usual one may be taken, by a proxy that runs already.
  const { socket: _socket, ...rest } = config.listen;
  const listen = { ...rest, host: '127.0.0.1', port: 0 };
  const proxy = await createProxyServer({ ...config, listen }, { logger });
  try {
    const url = await proxy.listen();
    const { apiKey } = config.listen;
    const answer = await fetch(`${url}${route.path}${target}`, {
      headers: {
        accept: 'application/fhir+json',
        ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // The links of the answer name this short-lived proxy; the usual one takes its place.
    const usual = `http://${callableHost(config.listen.host)}:${config.listen.port}`;
    const body = (await answer.text()).replaceAll(url, usual);
    return { target, status: answer.status, body };
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    throw new ProxyError(
      'first-answer-missing',
      `no answer to "GET ${route.path}${target}": ${(error as Error).message}`,
      { cause: error },
    );
  } finally {
    await proxy.destroy();
    logger.flush();
  }
}

const LONGEST_SHOWN = 30;

/** An answer for people: indented, the first 30 lines of it. */
export function formatAnswer({ body }: FirstAnswer): string {
  const lines = indent(body).split('\n');
  const left = lines.length - LONGEST_SHOWN;
  return [...lines.slice(0, LONGEST_SHOWN), ...(left > 0 ? [`… ${left} more lines`] : []), ''].join(
    '\n',
  );
}

function indent(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
