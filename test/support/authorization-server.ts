/**
 * A real SMART authorization server for tests, on 127.0.0.1 and a free port: it verifies client
 * assertions with `jose` as SMART App Launch 2.2 (client-confidential-asymmetric) demands, counts
 * requests, and can be told to fail.
 */
import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Settings of {@link startAuthorizationServer}. */
export interface AuthorizationServerOptions {
  /** Public keys of the registered client. */
  keys: JWK[];
  /** Default `test-client`. */
  clientId?: string;
  /** Scopes of the registration: others are dropped from a grant in silence, as OpenEMR does. Default: all are granted. */
  registeredScopes?: readonly string[];
  /** Default 300. */
  expiresInSeconds?: number;
  /** Default RS384 and ES384. */
  algorithms?: string[];
  /** Default `/apis/default/fhir`. */
  fhirPath?: string;
  /** Default `/oauth2/default/token`. */
  tokenPath?: string;
  /** Answers what lies below the FHIR base, other than the SMART configuration; default 404. */
  fhir?: RequestListener;
  /** The server's own clock; default the real one. */
  clock?: { now(): number };
}

/** One request that reached the token endpoint. */
export interface TokenRequestRecord {
  readonly method: string;
  /** Name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  readonly form: URLSearchParams;
  /** Protected header and claims of the assertion, when there was a readable one. */
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  /** Arrival, milliseconds since the epoch. */
  readonly atMs: number;
}

/** Answer in place of the real one. `reset` cuts the connection; `hang` never answers. */
export type ScriptedAnswer =
  | { status: number; headers?: Record<string, string | string[]>; body?: string | object }
  | 'reset'
  | 'hang'
  | RequestListener;

/** A running server. */
export interface AuthorizationServer {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  readonly tokenEndpoint: string;
  readonly fhirBase: URL;
  readonly clientId: string;
  /** Requests that reached the token endpoint, in order. */
  readonly requests: readonly TokenRequestRecord[];
  /** Requests that reached the SMART configuration. */
  readonly discoveries: readonly { rawHeaders: readonly string[]; url: string }[];
  /** Tokens issued so far, in order. */
  readonly issued: readonly string[];
  /** Life of the tokens issued from now on. */
  expiresInSeconds: number;
  /** Members merged over the token answer; a member set to undefined is left out. */
  answerOverrides: Record<string, unknown>;
  /** Members merged over the SMART configuration; a member set to undefined is left out. */
  configurationOverrides: Record<string, unknown>;
  /** The next token requests get these answers, one each; the assertion is not looked at. */
  scriptToken(...answers: ScriptedAnswer[]): void;
  /** The next requests for the SMART configuration get these answers, one each. */
  scriptDiscovery(...answers: ScriptedAnswer[]): void;
  /** Token requests wait from now on, until the returned function is called. */
  hold(): () => void;
  /** Resolves once the token endpoint has received `count` requests in all. */
  received(count: number): Promise<void>;
  /** What a resource server would say of this token. */
  check(token: string): 'live' | 'expired' | 'revoked' | 'unknown';
  /** Scopes of an issued token. */
  scopesOf(token: string): readonly string[];
  /** Refuses this token, or all issued so far, from now on. */
  revoke(token?: string): void;
  close(): Promise<void>;
}

interface Issued {
  expiresAtMs: number;
  scopes: readonly string[];
  revoked: boolean;
}

/** Starts the server; whoever starts it closes it. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const {
    clientId = 'test-client',
    fhirPath = '/apis/default/fhir',
    tokenPath = '/oauth2/default/token',
    algorithms = ['RS384', 'ES384'],
    registeredScopes,
    clock = { now: () => Date.now() },
  } = options;
  const requests: TokenRequestRecord[] = [];
  const discoveries: { rawHeaders: readonly string[]; url: string }[] = [];
  const tokens = new Map<string, Issued>();
  const usedIds = new Set<string>();
  const tokenScript: ScriptedAnswer[] = [];
  const discoveryScript: ScriptedAnswer[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let gate: Promise<void> = Promise.resolve();
  const keySet = createLocalJWKSet({ keys: options.keys });

  const answerToken = async (record: TokenRequestRecord, response: ServerResponse) => {
    const refusal = await refuse(record);
    if (refusal !== undefined) {
      send(response, { status: refusal.status, body: refusal.body });
      return;
    }
    const asked = (record.form.get('scope') ?? '').split(' ').filter(Boolean);
    const scopes = asked.filter((scope) => registeredScopes?.includes(scope) ?? true);
    const token = `test-token-${randomBytes(32).toString('base64url')}`;
    const expiresAtMs = clock.now() + server.expiresInSeconds * 1000;
    tokens.set(token, { expiresAtMs, scopes, revoked: false });
    send(response, {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        scope: scopes.join(' '),
        token_type: 'Bearer',
        expires_in: server.expiresInSeconds,
        access_token: token,
        ...server.answerOverrides,
      },
    });
  };

  const refuse = async (record: TokenRequestRecord) => {
    const { form } = record;
    const bad = (error: string, error_description: string, status = 400) => ({
      status,
      body: { error, error_description, message: error_description },
    });
    if (record.method !== 'POST') return bad('invalid_request', 'POST only', 405);
    if (form.get('grant_type') !== 'client_credentials') {
      return bad('unsupported_grant_type', 'client_credentials only');
    }
    if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
      return bad('invalid_request', 'client_assertion_type');
    }
    if (!form.get('scope')) return bad('invalid_scope', 'scope is missing');
    try {
      const { payload, protectedHeader } = await jwtVerify(
        form.get('client_assertion') ?? '',
        keySet,
        {
          algorithms,
          issuer: clientId,
          subject: clientId,
          audience: server.tokenEndpoint,
          typ: 'JWT',
          requiredClaims: ['exp', 'iat', 'jti'],
          currentDate: new Date(clock.now()),
        },
      );
      if (protectedHeader.kid === undefined) throw new Error('kid is missing');
      // Inferno compares aud as a string: an array of one fails there.
      if (typeof payload.aud !== 'string') throw new Error('aud is not a string');
      if ((payload.exp ?? Infinity) > clock.now() / 1000 + 300) {
        throw new Error('exp is more than 300 s ahead');
      }
      const jti = String(payload.jti);
      if (usedIds.has(jti)) throw new Error('jti has been used before');
      usedIds.add(jti);
    } catch (error) {
      return bad('invalid_client', `Client authentication failed: ${(error as Error).message}`);
    }
    return undefined;
  };

  const onToken = async (request: IncomingMessage, response: ServerResponse) => {
    const form = new URLSearchParams(await text(request));
    const record: TokenRequestRecord = {
      method: request.method ?? '',
      rawHeaders: request.rawHeaders,
      form,
      atMs: clock.now(),
      ...decoded(form.get('client_assertion')),
    };
    requests.push(record);
    for (const waiter of waiting) if (requests.length >= waiter.count) waiter.resolve();
    await gate;
    const scripted = tokenScript.shift();
    if (scripted === undefined) await answerToken(record, response);
    else play(scripted, request, response);
  };

  const onDiscovery = (request: IncomingMessage, response: ServerResponse) => {
    discoveries.push({ rawHeaders: request.rawHeaders, url: request.url ?? '' });
    const scripted = discoveryScript.shift();
    if (scripted !== undefined) {
      play(scripted, request, response);
      return;
    }
    send(response, {
      status: 200,
      body: {
        token_endpoint: server.tokenEndpoint,
        // OpenEMR nests the scopes in a second array.
        scopes_supported: [registeredScopes ?? ['system/Patient.read', 'system/*.$export']],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        capabilities: ['client-confidential-asymmetric', 'permission-v1'],
        ...server.configurationOverrides,
      },
    });
  };

  const http = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    response.setHeader('date', new Date(clock.now()).toUTCString());
    if (path === tokenPath) {
      onToken(request, response).catch(() => response.destroy());
    } else if (path === `${fhirPath}/.well-known/smart-configuration`) {
      onDiscovery(request, response);
    } else if (path?.startsWith(`${fhirPath}/`) && options.fhir !== undefined) {
      options.fhir(request, response);
    } else {
      send(response, { status: 404, body: { error: 'not found' } });
    }
  });
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const server: AuthorizationServer = {
    origin,
    tokenEndpoint: `${origin}${tokenPath}`,
    fhirBase: new URL(`${origin}${fhirPath}`),
    clientId,
    requests,
    discoveries,
    get issued() {
      return [...tokens.keys()];
    },
    expiresInSeconds: options.expiresInSeconds ?? 300,
    answerOverrides: {},
    configurationOverrides: {},
    scriptToken: (...answers) => void tokenScript.push(...answers),
    scriptDiscovery: (...answers) => void discoveryScript.push(...answers),
    hold() {
      let release = () => {};
      gate = new Promise((resolve) => (release = resolve));
      return release;
    },
    received: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => void waiting.push({ count, resolve })),
    check(token) {
      const known = tokens.get(token);
      if (known === undefined) return 'unknown';
      if (known.revoked) return 'revoked';
      return clock.now() < known.expiresAtMs ? 'live' : 'expired';
    },
    scopesOf: (token) => tokens.get(token)?.scopes ?? [],
    revoke(token) {
      for (const [value, known] of tokens) {
        if (token === undefined || token === value) known.revoked = true;
      }
    },
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

function decoded(assertion: string | null): Pick<TokenRequestRecord, 'header' | 'claims'> {
  if (assertion === null) return {};
  try {
    return { header: { ...decodeProtectedHeader(assertion) }, claims: decodeJwt(assertion) };
  } catch {
    return {};
  }
}

function play(answer: ScriptedAnswer, request: IncomingMessage, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') request.socket.destroy();
  else if (typeof answer === 'function') answer(request, response);
  else send(response, answer);
}

function send(response: ServerResponse, answer: Exclude<ScriptedAnswer, string | RequestListener>) {
  const { status, headers = {}, body = '' } = answer;
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isText ? 'text/html; charset=UTF-8' : 'application/json; charset=UTF-8',
    ...headers,
  });
  response.end(isText ? body : JSON.stringify(body));
}
