/** Cases of the client's JWK Set: a jwks_uri that answers in many ways, inline sets of many shapes. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { JWK } from 'jose';

import { createCertificate } from '../certificates.ts';
import type { TestKey } from '../keys.ts';
import type { CaseTable, ConformanceCase } from './cases.ts';
import { compare } from './compare.ts';
import type { Stage, StageKeys } from './stage.ts';
import type { Transcript } from './transcript.ts';

type Build = (keys: StageKeys) => unknown;

/** The client has a jwks_uri at a server that answers so. */
function remote(
  answer: (keys: StageKeys) => RequestListener,
  options: { tls?: boolean; inline?: Build } = {},
): ConformanceCase {
  return {
    check: async (stage, transcript) => {
      const listener = answer(stage.keys);
      const server =
        options.tls === true
          ? createHttpsServer(await createCertificate(), listener)
          : createServer(listener);
      const scheme = options.tls === true ? 'https' : 'http';
      const client = stage.client(stage.server.clients.remoteKeys);
      client.jwksUri = `${scheme}://127.0.0.1:${await listen(server)}/jwks.json`;
      client.jwks = options.inline === undefined ? '' : JSON.stringify(options.inline(stage.keys));
      try {
        return compare(transcript, await stage.replay(transcript));
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** The client has a jwks_uri that nothing answers at. */
function unreachable(uri: (stage: Stage) => Promise<string> | string): ConformanceCase {
  return {
    prepare: async (stage) => {
      Object.assign(stage.client(stage.server.clients.remoteKeys), {
        jwksUri: await uri(stage),
        jwks: '',
      });
    },
  };
}

/** The client has this text as its inline JWK Set. */
function inline(text: (keys: StageKeys) => string): ConformanceCase {
  return {
    prepare: (stage) => {
      stage.client(stage.server.clients.inlineKeys).jwks = text(stage.keys);
    },
  };
}

const inlineSet = (build: Build): ConformanceCase => inline((keys) => JSON.stringify(build(keys)));

const publicSet = (keys: StageKeys): string => JSON.stringify({ keys: [keys.k1.publicJwk] });

const text =
  (status: number, type: string, body: (keys: StageKeys) => string) =>
  (keys: StageKeys): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': type }).end(body(keys));
  };

const rest = (jwk: JWK, ...left: string[]): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !left.includes(name)));

const padded = (value: string | undefined): string =>
  Buffer.from(value ?? '', 'base64url').toString('base64');

const weak = once(() => rsaKey(1024));
const strong = once(() => rsaKey(4096));

function rsaKey(modulusLength: number): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  const publicJwk = publicKey.export({ format: 'jwk' }) as JWK;
  return {
    alg: 'RS384',
    kid: 'k1',
    privateKey,
    publicKey,
    publicJwk,
    privateJwk: {},
    text: '',
    pem: '',
  };
}

const REMOTE: CaseTable = {
  201: remote(text(200, 'application/json', publicSet)),
  202: { check: fetchTwice },
  203: remote(text(200, 'application/json', publicSet), { tls: true }),
  204: unreachable(async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return `http://127.0.0.1:${port}/jwks.json`;
  }),
  205: unreachable(() => 'http://no-such-host.invalid/jwks.json'),
  206: remote(text(404, 'text/html', () => '<h1>Not Found</h1>')),
  207: remote(text(200, 'text/html', () => '<h1>Welcome</h1>')),
  208: remote(text(404, 'application/json', () => '{"error":"not found"}')),
  209: remote(text(500, 'text/plain', () => 'Internal Server Error')),
  210: remote(text(200, 'application/json', () => '')),
  211: remote((keys) => (request, response) => {
    if (request.url === '/moved') response.end(publicSet(keys));
    else response.writeHead(302, { Location: '/moved' }).end();
  }),
  213: remote(text(200, 'text/plain', publicSet)),
  214: remote(text(200, 'application/json', (keys) => `\uFEFF${publicSet(keys)}`)),
  215: remote(text(200, 'application/json', (keys) => JSON.stringify(keys.k1.publicJwk))),
  216: remote(
    text(200, 'application/json', (keys) => JSON.stringify({ keys: [keys.e1.publicJwk] })),
  ),
  217: remote(
    text(200, 'application/json', (keys) => JSON.stringify({ keys: [keys.e1.publicJwk] })),
  ),
  // Five seconds in the recording; that it waits at all is what matters.
  218: remote((keys) => (_request, response) => {
    setTimeout(() => response.end(publicSet(keys)), 50);
  }),
  219: remote(text(200, 'application/json', publicSet), {
    inline: (keys) => ({ keys: [keys.k2.publicJwk] }),
  }),
  221: {
    prepare: ({ client, server, keys }) =>
      void Object.assign(client(server.clients.remoteKeys), {
        jwksUri: 'http://no-such-host.invalid/jwks.json',
        jwks: JSON.stringify({ keys: [keys.k2.publicJwk] }),
      }),
  },
  247: {
    ...remote(() => () => undefined),
    prepare: (stage) => void (stage.sandbox.state.settings.gatewayTimeoutMs = 50),
  },
};

const INLINE: CaseTable = {
  222: inlineSet((keys) => ({ keys: [keys.k1.publicJwk, keys.k2.publicJwk] })),
  223: inlineSet((keys) => ({ keys: [keys.k1.publicJwk, keys.k2.publicJwk] })),
  224: inlineSet((keys) => ({ keys: [keys.k2.publicJwk, keys.k1.publicJwk] })),
  225: inlineSet((keys) => ({ keys: [keys.e1.publicJwk, keys.k1.publicJwk] })),
  226: inlineSet((keys) => ({ keys: [keys.e1.publicJwk, keys.k1.publicJwk] })),
  227: inlineSet((keys) => ({ keys: [keys.k1.privateJwk] })),
  228: inlineSet((keys) => ({ keys: [rest(keys.k1.publicJwk, 'alg')] })),
  230: inlineSet((keys) => ({ keys: [rest(keys.k1.publicJwk, 'use', 'key_ops')] })),
  231: inlineSet(({ k1 }) => ({
    keys: [rest(k1.publicJwk, 'alg', 'use', 'kid', 'key_ops')],
  })),
  232: inlineSet((keys) => ({ keys: [{ ...keys.k1.publicJwk, use: 'enc', alg: 'RSA-OAEP' }] })),
  233: inlineSet((keys) => ({ keys: [{ ...keys.k1.publicJwk, alg: 'RS256' }] })),
  235: inlineSet((keys) => ({ keys: [{ ...keys.k1.publicJwk, n: padded(keys.k1.publicJwk.n) }] })),
  236: inlineSet((keys) => keys.k1.publicJwk),
  237: inlineSet(() => ({ keys: [] })),
  238: inlineSet(() => ({ keys: null })),
  239: inline(() => 'this is not JSON'),
  240: inlineSet(publicSet),
  241: inlineSet((keys) => [keys.k1.publicJwk]),
  242: inlineSet(() => ({ keys: [{ kty: 'RSA', kid: 'k1', use: 'sig', x5c: ['MIIB'] }] })),
  243: {
    ...inlineSet(() => ({ keys: [weak().publicJwk] })),
    request: () => ({ signWith: weak() }),
  },
  244: {
    ...inlineSet(() => ({ keys: [strong().publicJwk] })),
    request: () => ({ signWith: strong() }),
  },
  245: inline(() => ''),
};

/** By number of the transcript. */
export const JWKS_CASES: CaseTable = { ...REMOTE, ...INLINE };

/** The second of two token requests; the JWK Set must have been fetched for each. */
async function fetchTwice(stage: Stage, transcript: Transcript): Promise<string[]> {
  let fetches = 0;
  const counting = remote((keys) => (_request, response) => {
    fetches += 1;
    response.end(publicSet(keys));
  });
  const first = await counting.check?.(stage, transcript);
  stage.sandbox.state.usedAssertions.clear();
  const second = await counting.check?.(stage, transcript);
  return [
    ...(first ?? []),
    ...(second ?? []),
    ...(fetches === 2 ? [] : [`fetched ${fetches} times`]),
  ];
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
