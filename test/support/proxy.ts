/**
 * A whole proxy in front of a real authorization server and a real FHIR server, on loopback. When
 * the test ends everything is closed, and no log line or body may hold a secret.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';

import type { Exchange } from '../../src/base/contracts.ts';
import { configSchema, type ProxyConfig, type ProxyConfigInput } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createProxyServer, type ProxyServer } from '../../src/server.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from './authorization-server.ts';
import { rs384Key, type TestKey } from './keys.ts';
import { createSecretWatch, type SecretWatch } from './secrets.ts';

type RouteInput = ProxyConfigInput['routes'][number];

/** What a test may set. */
export interface StartOptions {
  /** Members merged over the route. */
  route?: Partial<RouteInput> | ((authorization: AuthorizationServer) => Partial<RouteInput>);
  /** Further routes; what they do not say is as in the first one without `route`. */
  further?: (Partial<RouteInput> & Pick<RouteInput, 'path'>)[];
  /** Members merged over the configuration. */
  config?: Partial<Omit<ProxyConfigInput, 'routes'>>;
  scopes?: string[];
  key?: TestKey;
  authorization?: Partial<AuthorizationServerOptions>;
  /** Answers below the FHIR base; default {@link answerPatient} behind {@link requireToken}. */
  fhir?: (authorization: AuthorizationServer) => RequestListener;
  /** Default JSON lines. */
  logFormat?: 'json' | 'pretty';
  /** Moves the proxy's clock, milliseconds. */
  clock?: { now(): number };
}

/** One request that reached the FHIR server. */
export interface FhirRequest {
  method: string;
  url: string;
  rawHeaders: string[];
  headers: IncomingMessage['headers'];
  body: string;
}

/** Everything that runs. */
export interface Started {
  proxy: ProxyServer;
  /** What it was started with. */
  config: ProxyConfig;
  /** URL of the proxy, such as `http://127.0.0.1:40123`. */
  url: string;
  port: number;
  authorization: AuthorizationServer;
  /** Requests that reached the FHIR server, in order, bodies included. */
  received: FhirRequest[];
  exchanges: Exchange[];
  /** Resolves once `count` exchanges are over. */
  over(count: number): Promise<void>;
  watch: SecretWatch;
  /** The log so far. */
  log(): string;
  /** `fetch` on the proxy, its body remembered for the search for secrets. */
  fetch(path: string, init?: RequestInit): Promise<Response & { text: () => Promise<string> }>;
}

/** Starts everything; closed when the test ends. */
export async function startProxy(t: TestContext, options: StartOptions = {}): Promise<Started> {
  const key = options.key ?? rs384Key();
  const watch = createSecretWatch();
  const received: FhirRequest[] = [];
  const exchanges: Exchange[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let answer: RequestListener = () => {};
  const authorization = await startAuthorizationServer({
    keys: [key.publicJwk],
    ...options.authorization,
    fhir: (request, response) => answer(request, response),
  });
  answer = recording(received, (options.fhir ?? defaultFhir)(authorization));

  const common: RouteInput = {
    path: '/fhir',
    upstream: authorization.fhirBase.href,
    client: {
      id: authorization.clientId,
      key: key.text,
      scopes: options.scopes ?? ['system/Patient.read'],
    },
  };
  const config = configSchema.parse({
    ...options.config,
    listen: { port: 0, ...options.config?.listen },
    routes: [
      {
        ...common,
        ...(typeof options.route === 'function' ? options.route(authorization) : options.route),
      },
      ...(options.further ?? []).map((members) => ({ ...common, ...members })),
    ],
  });
  const logger = createLogger({
    format: options.logFormat ?? 'json',
    level: 'debug',
    stream: watch.stream,
    color: false,
  });
  const proxy = await createProxyServer(config, {
    logger,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    onExchange(exchange) {
      exchanges.push(exchange);
      for (const { count, resolve } of waiting) if (exchanges.length >= count) resolve();
    },
  });
  const url = await proxy.listen();
  t.after(async () => {
    await proxy.destroy();
    await authorization.close();
    logger.flush();
    watch.addSecret(...authorization.issued, ...privateMembers(key));
    watch.assertNone();
  });

  return {
    proxy,
    config,
    url,
    port: Number(new URL(url).port),
    authorization,
    received,
    exchanges,
    over: (count) =>
      exchanges.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => void waiting.push({ count, resolve })),
    watch,
    log() {
      logger.flush();
      return watch.text();
    },
    async fetch(path, init) {
      const response = await fetch(url + path, { redirect: 'manual', ...init });
      const body = await response.text();
      watch.addBody(body + JSON.stringify([...response.headers]));
      return Object.assign(response, {
        text: () => Promise.resolve(body),
        json: () => Promise.resolve(JSON.parse(body)),
      });
    },
  };
}

/** Answers 401 with an empty body, as OpenEMR 7 does, unless the request carries a live token. */
export function requireToken(
  authorization: AuthorizationServer,
  next: RequestListener,
): RequestListener {
  return (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (authorization.check(token) === 'live') {
      next(request, response);
      return;
    }
    request.resume();
    request.once('end', () => response.writeHead(401, { 'content-type': 'text/html' }).end());
  };
}

/** Answers with one small Patient. */
export function answerPatient(_request: IncomingMessage, response: ServerResponse): void {
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end('{"resourceType":"Patient","id":"p1"}');
}

/** The issues of an OperationOutcome body. */
export function issuesOf(body: string): { severity: string; code: string; diagnostics: string }[] {
  const outcome = JSON.parse(body) as { resourceType: string; issue: [] };
  assert.equal(outcome.resourceType, 'OperationOutcome');
  return outcome.issue;
}

function defaultFhir(authorization: AuthorizationServer): RequestListener {
  return requireToken(authorization, answerPatient);
}

/** The proxy asks for the server's version on its own account, some time after the first token. */
function isOwnQuestion({ url, headers }: IncomingMessage): boolean {
  return headers['user-agent'] === 'fhir-auth-proxy' && url?.endsWith('/metadata') === true;
}

function recording(received: FhirRequest[], next: RequestListener): RequestListener {
  return (request, response) => {
    const { method = '', url = '', rawHeaders, headers } = request;
    if (isOwnQuestion(request)) {
      response.writeHead(404).end();
      return;
    }
    const record: FhirRequest = { method, url, rawHeaders, headers, body: '' };
    received.push(record);
    request.on('data', (chunk: Buffer) => {
      // Enough to compare; large uploads are only counted by the tests that send them.
      if (record.body.length < 4_194_304) record.body += chunk.toString('latin1');
    });
    next(request, response);
  };
}

function privateMembers(key: TestKey): string[] {
  const { d, p, q } = key.privateJwk;
  return [d, p, q].filter((member) => member !== undefined);
}
