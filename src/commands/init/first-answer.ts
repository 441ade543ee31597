/** Asks the server for the first time, through a proxy made of the new configuration. */
import { cleanServerText } from '../../auth/redact-secrets.ts';
import { ProxyError } from '../../base/errors.ts';
import { ownAddress } from '../../config/host.ts';
import type { ProxyConfig, RouteConfig } from '../../config/schema.ts';
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
  const { socket: _socket, tls: _tls, publicUrl: _publicUrl, ...rest } = config.listen;
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
    const usual = config.listen.publicUrl ?? ownAddress(config.listen, config.listen.port);
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

/**
 * What an answer is, in a few words and without any health data: `a Bundle with 1 Patient`. Of a
 * failure, which holds none, also what the server says about it.
 */
export function describeAnswer({ body, status }: FirstAnswer): string {
  const resource = parseResource(body);
  const type = resource?.resourceType;
  if (type === undefined) return 'no FHIR resource';
  const article = /^[AEIOU]/.test(type) ? 'an' : 'a';
  if (type === 'OperationOutcome' && status >= 400) {
    const reasons = (resource?.issue ?? []).flatMap((issue) => issue?.diagnostics ?? []);
    const text = cleanServerText(reasons.map(String).join('; '));
    return `${article} ${type}${text === '' ? '' : `: ${text}`}`;
  }
  if (type !== 'Bundle') return `${article} ${type}`;
  const counts = new Map<string, number>();
  for (const entry of resource?.entry ?? []) {
    const name = typeName(entry?.resource?.resourceType) ?? 'entry';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const held = [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
  return held === '' ? 'a Bundle with nothing in it' : `a Bundle with ${held}`;
}

interface SeenResource {
  resourceType: string | undefined;
  entry?: readonly ({ resource?: { resourceType?: unknown } } | null)[];
  issue?: readonly ({ diagnostics?: unknown } | null)[];
}

function parseResource(body: string): SeenResource | undefined {
  try {
    const value = JSON.parse(body) as Record<string, unknown> | null;
    return {
      resourceType: typeName(value?.['resourceType']),
      entry: arrayOf(value?.['entry']),
      issue: arrayOf(value?.['issue']),
    };
  } catch {
    return undefined;
  }
}

function arrayOf(value: unknown): [] {
  return Array.isArray(value) ? (value as []) : [];
}

/** The name of a type, and nothing that a server might have put in its place. */
function typeName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z]{1,64}$/.test(value) ? value : undefined;
}
