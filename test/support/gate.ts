/** Gates for tests: from a configuration as people write it, alone or behind a real server. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import type { ProxyError } from '../../src/base/errors.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { ProxyConfigInput } from '../../src/config/schema.ts';
import type { Admission, BodyJudge, Gate, RouteAdmission } from '../../src/gate/gate.ts';
import { createGate } from '../../src/gate/gate.ts';

/** What a test says about a gate: the listener, and routes by path. */
export interface GateSetup {
  listen?: ProxyConfigInput['listen'];
  access?: ProxyConfigInput['routes'][number]['access'];
  /** Paths of the routes; default `/fhir`. All have the same `access`. */
  paths?: readonly string[];
}

/** A gate of a checked configuration. */
export function buildGate({ listen, access, paths = ['/fhir'] }: GateSetup = {}): Gate {
  const { listen: checked, routes } = configSchema.parse({
    ...(listen === undefined ? {} : { listen }),
    routes: paths.map((path) => ({
      path,
      upstream: 'sandbox',
      ...(access === undefined ? {} : { access }),
    })),
  });
  return createGate({ listen: checked, routes });
}

/** What the gate says about a request head; a `Host: localhost:8088` field is added unless there is one. */
export function ask(
  gate: Gate,
  method: string,
  url: string,
  rawHeaders: readonly string[] = [],
): Admission {
  const hasHost = rawHeaders.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  const fields = hasHost ? [...rawHeaders] : ['Host', 'localhost:8088', ...rawHeaders];
  return gate.admit({ method, url, rawHeaders: fields });
}

/** In one word: the kind of an admission, or the code of a refusal. */
export function verdict(admission: Admission): string {
  return admission.kind === 'refused' ? admission.error.code : admission.kind;
}

/** The refusal's error; throws when there is none. */
export function refusal(admission: Admission): ProxyError {
  if (admission.kind !== 'refused') throw new Error(`expected a refusal, got ${admission.kind}`);
  return admission.error;
}

/** The admission to a route; throws when it is another. */
export function admitted(admission: Admission): RouteAdmission {
  if (admission.kind !== 'route') {
    const why = admission.kind === 'refused' ? `: ${admission.error.message}` : '';
    throw new Error(`expected a route, got ${admission.kind}${why}`);
  }
  return admission;
}

/** A server that asks its gate and tells in JSON what that said; nothing is forwarded. */
export interface GateServer {
  port: number;
  /** Requests that reached a route, with the body that was let through. */
  passed: readonly { method: string; target: string; body: string }[];
}

/** Starts a {@link GateServer} on a free loopback port; closed at the end of the test. */
export async function startGate(t: TestContext, setup: GateSetup = {}): Promise<GateServer> {
  const gate = buildGate(setup);
  const passed: { method: string; target: string; body: string }[] = [];
  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => response.destroy(error));
  });
  // Fields beyond Node's own count would be dropped before the gate could count them.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, passed };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admission = gate.admit(request);
    if (admission.kind === 'refused') {
      sendError(response, admission.error, admission.fields);
    } else if (admission.kind === 'preflight') {
      response.writeHead(204, [...admission.fields]).end();
    } else if (admission.kind === 'reserved') {
      send(response, 200, { kind: 'reserved', path: admission.path }, admission.corsFields);
    } else {
      const body = await readBody(request, admission.judgeBody);
      if (!Buffer.isBuffer(body)) return sendError(response, body, admission.corsFields);
      const { target, interaction } = admission;
      passed.push({ method: request.method ?? '', target, body: body.toString('latin1') });
      send(response, 200, { kind: 'route', target, interaction }, admission.corsFields);
    }
  }
}

async function readBody(
  request: IncomingMessage,
  judge: BodyJudge | undefined,
): Promise<Buffer | ProxyError> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (judge !== undefined && length > judge.maxBytes) return judge.tooLarge();
  }
  const body = Buffer.concat(chunks);
  return judge?.judge(body) ?? body;
}

function sendError(
  response: ServerResponse,
  { status, code, message }: ProxyError,
  fields: readonly string[] = [],
): void {
  send(response, status, { code, message }, fields);
}

function send(
  response: ServerResponse,
  status: number,
  value: object,
  fields: readonly string[],
): void {
  const body = JSON.stringify(value);
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, ['Content-Length', length, 'X-Fields', 'follow', ...fields]);
  response.end(body);
}
