/** The HTTP server: reads a request to its end, has it answered, writes the answer as Apache frames it. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

import type { Clock } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import { isLoopbackHost } from '../config/host.ts';
import { answerGatewayTimeout, answerRequest, requestKind } from './apache.ts';
import { answerControl } from './control.ts';
import type { SandboxAnswer, SandboxRequest } from './exchange.ts';
import type { SandboxState } from './versions/profile.ts';

/** Node's own limits, set far above Apache's so that Apache's are the ones that show. */
const MAX_HEADER_BYTES = 1 << 20;

/** A server that listens. */
export interface SandboxServer {
  port: number;
  close(): Promise<void>;
}

/** @param options.tls PEM texts; without them the server speaks plain HTTP */
export async function listen(
  state: SandboxState,
  options: {
    host: string;
    port: number;
    /** A name besides the loopback ones by which it is called. */
    name: string | undefined;
    answersToAll: boolean;
    tls?: { key: string; cert: string };
  },
): Promise<SandboxServer> {
  const { host, port, tls } = options;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (!options.answersToAll && !isOwnName(request.headers.host, options.name, state)) {
      refuseHost(response);
      return;
    }
    serve(request, response, state).catch(() => response.destroy());
  };
  const limits = { maxHeaderSize: MAX_HEADER_BYTES };
  const server =
    tls === undefined
      ? createHttpServer(limits, handle)
      : createHttpsServer({ ...limits, ...tls }, handle);
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * On a loopback address the sandbox answers to loopback names, its own name and its Site Address alone:
 * a page of another site whose name leads to this machine (DNS rebinding) reads nothing. Elsewhere, as in
 * a container, it cannot know the names by which it is called.
 */
function isOwnName(
  field: string | undefined,
  own: string | undefined,
  { settings }: SandboxState,
): boolean {
  if (field === undefined) return true;
  const name = hostOf(`http://${field}`);
  if (name === undefined) return false;
  return isLoopbackHost(name) || name === own || name === hostOf(settings.siteAddress);
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Not an answer of OpenEMR's: it must not look like one. */
function refuseHost(response: ServerResponse): void {
  const text =
    'This is the sandbox of fhir-auth-proxy on a loopback address. Call it by localhost or 127.0.0.1.\n';
  response.writeHead(421, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(text);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ProxyError {
  const { code = 'unknown' } = error;
  const reason =
    code === 'EADDRINUSE'
      ? `port ${port} on "${host}" is in use by another program: choose another, or 0 for a free one`
      : `cannot listen on "${host}" port ${port} (${code}): expected an address of this machine and a port that this user may use`;
  return new ProxyError('sandbox-listen-failed', reason, { cause: error });
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  state: SandboxState,
): Promise<void> {
  const request = await readRequest(message, state);
  const control = answerControl(request, state);
  if (control !== undefined) {
    await writeAnswer(request, response, control, state.clock);
    return;
  }
  const kind = requestKind(request.path);
  const waitMs =
    kind === 'token'
      ? state.faults['slow-token']
      : kind === 'fhir'
        ? state.faults['slow-answer']
        : 0;
  const answer = await answerInTime(request, state, waitMs);
  request.log.flush();
  const resets = kind === 'fhir' && state.faults['reset-mid-body'];
  await writeAnswer(request, response, answer, state.clock, resets);
}

async function answerInTime(
  request: SandboxRequest,
  state: SandboxState,
  waitMs: number,
): Promise<SandboxAnswer> {
  const timeout = new AbortController();
  const late = delay(state.settings.gatewayTimeoutMs, undefined, { signal: timeout.signal })
    .then(() => answerGatewayTimeout(request, request.localPort))
    .catch(() => undefined);
  try {
    const early = (async () => {
      if (waitMs > 0) await delay(waitMs, undefined, { signal: timeout.signal });
      return answerRequest(request, state);
    })();
    early.catch(() => undefined);
    const answer = await Promise.race([early, late]);
    return answer ?? (await early);
  } finally {
    timeout.abort();
  }
}

async function readRequest(message: IncomingMessage, state: SandboxState): Promise<SandboxRequest> {
  const { method = 'GET', url = '/', rawHeaders, socket } = message;
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bodyBytes += chunk.length;
    // PHP throws a longer form away, so there is no need to keep it.
    if (bodyBytes <= state.version.http.postMaxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  const mark = url.indexOf('?');
  const client = `${socket.remoteAddress?.replace('::ffff:', '') ?? '-'}:${socket.remotePort ?? 0}`;
  return {
    method,
    scheme: socket instanceof TLSSocket ? 'https' : 'http',
    target: url,
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    headers: joinHeaders(rawHeaders),
    rawHeaders,
    body: Buffer.concat(chunks),
    bodyBytes,
    client,
    localPort: socket.localPort ?? 0,
    log: state.log.open(client, message.headers.referer),
  };
}

function joinHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

async function writeAnswer(
  request: SandboxRequest,
  response: ServerResponse,
  answer: SandboxAnswer,
  clock: Clock,
  resetMidBody = false,
): Promise<void> {
  const { status, statusText, body, byApache = false } = answer;
  const type = answer.fields.filter(([name]) => name === 'Content-Type');
  const rest = answer.fields.filter(([name]) => name !== 'Content-Type');
  const fields = [
    ['Date', new Date(clock.now()).toUTCString()],
    ['Server', 'Apache'],
    ...rest,
    ...(byApache
      ? []
      : [
          ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains; preload'],
          ['X-XSS-Protection', '1; mode=block'],
        ]),
    ...(body === '' && request.method !== 'HEAD' ? [['Content-Length', '0']] : []),
    ...type,
  ];
  response.sendDate = false;
  response.writeHead(status, statusText ?? STATUS_CODES[status] ?? '', fields.flat());
  if (resetMidBody) {
    await resetInside(response, body);
    return;
  }
  if (typeof body === 'string' || Buffer.isBuffer(body)) response.end(body);
  else await pipeline(Readable.from(body), response);
}

/** Sends the first half of the body, then resets the connection. */
async function resetInside(response: ServerResponse, body: SandboxAnswer['body']): Promise<void> {
  let half = Buffer.from('{');
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    const bytes = Buffer.from(body);
    half = bytes.subarray(0, Math.ceil(bytes.length / 2));
  }
  await new Promise<void>((resolve) => {
    response.write(half, () => resolve());
  });
  // A reset overtakes bytes that wait in the kernel; the client is given time to read the first half.
  await delay(RESET_AFTER_MS);
  response.socket?.resetAndDestroy();
}

const RESET_AFTER_MS = 20;
