/** A sandbox to ask FHIR questions, with a token of its ready client. */
import type { TestContext } from 'node:test';

import { SignJWT, importJWK } from 'jose';

import { startSandbox } from '../../src/sandbox/index.ts';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/index.ts';

/** An answer, read to its end. */
export interface FhirAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON. */
  json(): unknown;
}

/** A sandbox and a token. */
export interface FhirSandbox {
  sandbox: Sandbox;
  /** @param path below the FHIR base, with its leading slash */
  ask(path: string, init?: RequestInit): Promise<FhirAnswer>;
  /** What the error log gained since the last call. */
  newLogText(): string;
}

/**
 * Starts a sandbox and gets a token.
 *
 * @param options.t test at whose end the sandbox is closed; without it the caller closes it
 * @param options.scopes of the token; default: all of the client's
 * @param options.readLog reads the error log, for `newLogText`
 */
export async function startFhirSandbox(
  options: SandboxOptions & {
    t?: TestContext;
    scopes?: readonly string[];
    readLog?: (path: string) => string;
  } = {},
): Promise<FhirSandbox> {
  const { t, scopes, readLog = () => '', ...rest } = options;
  const sandbox = await startSandbox(rest);
  t?.after(() => sandbox.close());
  const token = await requestToken(sandbox, scopes ?? sandbox.client.scopes);
  let read = 0;
  return {
    sandbox,
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('Authorization')) headers.set('Authorization', `Bearer ${token}`);
      const response = await fetch(`${sandbox.fhirBase}${path}`, { ...init, headers });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: () => JSON.parse(text) as unknown,
      };
    },
    newLogText() {
      const text = readLog(sandbox.errorLog);
      const added = text.slice(read);
      read = text.length;
      return added;
    },
  };
}

/** @returns a token of the ready client, as {@link askToken} gets it */
export async function requestToken(
  sandbox: Sandbox,
  scopes: readonly string[],
  nowSeconds?: number,
): Promise<string> {
  const response = await askToken(sandbox, scopes, nowSeconds);
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`no token from the sandbox: status ${response.status}`);
  return token;
}

/**
 * Asks the sandbox's token endpoint as its ready client does.
 *
 * @param nowSeconds the client's time, seconds since the epoch
 */
export async function askToken(
  sandbox: Sandbox,
  scopes: readonly string[],
  nowSeconds = Math.floor(Date.now() / 1000),
): Promise<Response> {
  const { id, key } = sandbox.client;
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'RS384', typ: 'JWT' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(sandbox.tokenEndpoint)
    .setJti(crypto.randomUUID())
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + 60)
    .sign(await importJWK(key, 'RS384'));
  return fetch(sandbox.tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: scopes.join(' '),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
}
