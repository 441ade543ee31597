/**
 * What soak and fuzz share: a sandbox, relays in front of it, and the built program before those.
 * Every byte that the program sends to anybody passes through here.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Sandbox, startSandbox } from '../../../src/sandbox/index.ts';
import { createLeakWatch, type LeakWatch } from './leak-watch.ts';
import { type Program, startProgram } from './program.ts';
import { type Relay, startRelay } from './relay.ts';
import { createRequestReader, type ReceivedRequest } from './request-reader.ts';

/** A route of the program: its path, and what is before its upstream. */
export interface WorldRoute {
  path: '/fhir' | '/read';
  relay: Relay;
  /** Settings of the route besides those that every route has. */
  access: object;
}

/** Everything at work. */
export interface World {
  program: Program;
  sandbox: Sandbox;
  routes: readonly WorldRoute[];
  tokenRelay: Relay;
  leaks: LeakWatch;
  /** Key that every caller must send. */
  apiKey: string;
  /** Path of the FHIR base at the sandbox. */
  basePath: string;
  /** Token requests seen. */
  tokenRequests(): number;
  /** Connections that something other than a client made to a place that is no upstream. */
  strayConnections(): number;
  /** Origin of that place. */
  strayOrigin: string;
  /** Writes the config file anew, with other settings in every route; the program takes it over by itself. */
  configure(settings: object): void;
  close(): Promise<void>;
}

/** Options of {@link startWorld}. */
export interface WorldOptions {
  tokenLifetimeSeconds: number;
  timeouts: object;
  listen?: object;
  /** Sees each request that reaches the upstream of a route. */
  onRequest?: (route: WorldRoute, request: ReceivedRequest) => void;
  /** Sees what has more than one reading. */
  onProblem?: (route: WorldRoute, problem: string) => void;
  onLine?: (line: string) => void;
}

/** Scopes that the sandbox's client is registered for, and that the program asks for. */
const SCOPES = [
  'system/Patient.read',
  'system/Patient.write',
  'system/Observation.read',
  'system/Encounter.read',
];

/** Starts sandbox, relays and program. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const leaks = createLeakWatch();
  const apiKey = randomBytes(18).toString('hex');
  leaks.addSecret(apiKey);
  let tokenRequests = 0;
  const tokenRelay = await startRelay({
    connected: () => createTokenRequestReader(leaks, () => (tokenRequests += 1)),
    answered: () => createTokenAnswerReader(leaks),
  });
  const routes = await Promise.all([
    startRoute('/fhir', {}, options),
    startRoute('/read', { readOnly: true, deny: ['Encounter'] }, options),
  ]);
  const stray = await startRelay();
  stray.setMode('reset');
  const sandbox = await startSandbox({
    version: '8.0.0',
    settings: {
      tokenLifetimeSeconds: options.tokenLifetimeSeconds,
      siteAddress: tokenRelay.origin,
    },
  });
  const { port } = new URL(sandbox.url);
  for (const relay of [tokenRelay, ...routes.map(({ relay }) => relay)]) relay.lead(Number(port));
  sandbox.state.clients.get(sandbox.client.id)!.scope += ` ${SCOPES.join(' ')}`;

  const folder = mkdtempSync(join(tmpdir(), 'fhir-auth-proxy-world-'));
  const config = join(folder, 'proxy.config.json');
  writeFileSync(join(folder, 'key.jwk.json'), JSON.stringify(sandbox.client.key), { mode: 0o600 });
  const configure = (settings: object): void => {
    const tokenEndpoint = `${tokenRelay.origin}/oauth2/default/token`;
    const text = JSON.stringify({
      listen: { port: 0, apiKey, ...options.listen },
      routes: routes.map(({ path, relay, access }) => ({
        path,
        upstream: `${relay.origin}/apis/default/fhir`,
        upstreamBases: [`${tokenRelay.origin}/apis/default/fhir`],
        tokenEndpoint,
        audience: tokenEndpoint,
        client: { id: sandbox.client.id, key: 'key.jwk.json', scopes: SCOPES },
        access,
        timeouts: options.timeouts,
        ...settings,
      })),
    });
    // Put in the old one's place whole, as editors and Kubernetes do.
    writeFileSync(`${config}.next`, text, { mode: 0o600 });
    renameSync(`${config}.next`, config);
  };
  configure({});
  const program = await startProgram({
    config,
    cwd: folder,
    onOutput: leaks.open('the log'),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  return {
    program,
    sandbox,
    routes,
    tokenRelay,
    leaks,
    apiKey,
    basePath: new URL(sandbox.fhirBase).pathname,
    tokenRequests: () => tokenRequests,
    strayConnections: stray.taken,
    strayOrigin: stray.origin,
    configure,
    async close() {
      await program.stop();
      for (const { relay } of routes) relay.close();
      tokenRelay.close();
      stray.close();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startRoute(
  path: WorldRoute['path'],
  access: object,
  { onRequest, onProblem }: WorldOptions,
): Promise<WorldRoute> {
  const relay = await startRelay({
    connected() {
      const reader = createRequestReader(
        (request) => onRequest?.(route, request),
        (problem) => onProblem?.(route, problem),
      );
      return (chunk) => reader.push(chunk);
    },
  });
  const route = { path, relay, access };
  return route;
}

/** Client assertions are secrets from the moment they are sent. */
function createTokenRequestReader(leaks: LeakWatch, onRequest: () => void) {
  const reader = createRequestReader(
    ({ body }) => {
      onRequest();
      const assertion = new URLSearchParams(body).get('client_assertion');
      if (assertion !== null) leaks.addSecret(assertion);
    },
    () => {},
  );
  return (chunk: Buffer): void => reader.push(chunk);
}

/** Access tokens are secrets from the moment they are issued. */
function createTokenAnswerReader(leaks: LeakWatch) {
  let text = '';
  return (chunk: Buffer): void => {
    text = (text + chunk.toString('latin1')).slice(-16_384);
    for (const [, token = ''] of text.matchAll(/"access_token":"([^"]+)"/g)) leaks.addSecret(token);
  };
}
