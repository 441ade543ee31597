/**
 * A sandbox put into the state of the server that was recorded: the same site address, the same
 * client ids, keys of ours in the places of theirs.
 */
import { randomBytes, randomUUID, sign } from 'node:crypto';
import { readFileSync, truncateSync } from 'node:fs';

import { createSelfSignedCertificate } from '../../../src/sandbox/certificate.ts';
import type { SandboxClient, SandboxSettings } from '../../../src/sandbox/exchange.ts';
import { type Sandbox, type SandboxVersion, startSandbox } from '../../../src/sandbox/index.ts';
import { es384Key, rs384Key, type TestKey } from '../keys.ts';
import { MAIN_SCOPES, RECORDED_SERVERS, type RecordedServer } from './recorded-server.ts';
import { send, type RawAnswer } from './send.ts';
import { type RecordedJwt, recordedAtMs, type Transcript } from './transcript.ts';

/** Keys: `k1` and `k2` are registered or could be, `foreign` never is, `e1` is an EC key. */
export interface StageKeys {
  k1: TestKey;
  k2: TestKey;
  foreign: TestKey;
  e1: TestKey;
}

/** What a case may say about how its request is made. */
export interface ReplayOptions {
  /** Key that signs the assertion; default the one that the recorded `kid` names. */
  signWith?: TestKey;
  /** Value of `client_assertion`, in place of a newly signed one. */
  assertion?: string;
  /** Changes the signed assertion before it is sent. */
  alter?: (assertion: string) => string;
  /** Parameters that take the place of recorded ones, for values that the recording cut. */
  form?: Record<string, string>;
  /** Fields that take the place of recorded ones. */
  fields?: Record<string, string>;
  /** Body, in place of the recorded one. */
  body?: string | Buffer;
  /** Bearer token, in place of a newly issued one. */
  bearer?: string;
  /** Request target, in place of the recorded one. */
  target?: string;
}

/** What a replay brought. */
export interface Replay {
  answer: RawAnswer;
  /** Lines that the error log gained. */
  log: string[];
}

/** A sandbox with everything that a case may want to change. */
export interface Stage {
  /** The server that was recorded. */
  readonly server: RecordedServer;
  readonly sandbox: Sandbox;
  readonly keys: StageKeys;
  /** Moves the sandbox's clock by this many milliseconds from now on, until the next `reset`. */
  moveClock(byMs: number): void;
  /** Back to the state in which the recording began. */
  reset(): void;
  client(id: string): SandboxClient;
  /** An access token as the token endpoint issues it. */
  issueToken(clientId: string, scope: string): Promise<string>;
  /** A signed assertion with the times of the recording moved to now. */
  buildAssertion(transcript: Transcript, options?: ReplayOptions): string;
  replay(transcript: Transcript, options?: ReplayOptions): Promise<Replay>;
  close(): Promise<void>;
}

/** Starts a stage. @param options.tls whether the sandbox speaks TLS, as the recorded server did */
export async function createStage(
  version: SandboxVersion,
  options: { tls?: boolean } = {},
): Promise<Stage> {
  const server = RECORDED_SERVERS[version];
  let offsetMs = 0;
  const tls = options.tls === true ? await createSelfSignedCertificate('127.0.0.1') : undefined;
  const sandbox = await startSandbox({
    version,
    // The recordings call the server by its own names.
    anyHost: true,
    clock: { now: () => Date.now() + offsetMs },
    ...(tls === undefined ? {} : { tls }),
  });
  const { state } = sandbox;
  const keys: StageKeys = {
    k1: rs384Key('k1'),
    k2: rs384Key('k2'),
    foreign: rs384Key('foreign'),
    e1: es384Key('e1'),
  };
  const initialSettings: SandboxSettings = { ...state.settings, siteAddress: server.origin };

  const stage: Stage = {
    server,
    sandbox,
    keys,
    moveClock(byMs) {
      offsetMs += byMs;
    },
    reset() {
      offsetMs = 0;
      Object.assign(state.settings, initialSettings);
      Object.assign(state.keys.state, { publicKeyMissing: false, privateKeyUnreadable: false });
      state.systemUser.missing = false;
      sandbox.setFaults(clearedFaults(sandbox));
      for (const table of [state.clients, state.tokens]) table.clear();
      for (const set of [state.usedAssertions, state.trustedUsers]) set.clear();
      for (const client of recordedClients(server, keys)) state.clients.set(client.id, client);
      truncateSync(sandbox.errorLog);
    },
    client(id) {
      const client = state.clients.get(id);
      if (client === undefined) throw new Error(`no client "${id}" on this stage`);
      return client;
    },
    async issueToken(clientId, scope) {
      const base = state.settings.siteAddress === '' ? sandbox.url : state.settings.siteAddress;
      const now = Math.floor(state.clock.now() / 1000);
      const assertion = signJwt({ alg: 'RS384', typ: 'JWT', kid: 'k1' }, keys.k1, {
        iss: clientId,
        sub: clientId,
        aud: `${base}/oauth2/default/token`,
        exp: now + 60,
        iat: now,
        jti: randomUUID(),
      });
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      });
      const answer = await send({
        method: 'POST',
        origin: sandbox.url,
        target: '/oauth2/default/token',
        fields: [['Content-Type', 'application/x-www-form-urlencoded']],
        body: form.toString(),
      });
      const body = JSON.parse(answer.body.toString()) as { access_token: string };
      return body.access_token;
    },
    buildAssertion: (transcript, replay = {}) => buildAssertion(stage, transcript, replay),
    replay: (transcript, replay = {}) => replayTranscript(stage, transcript, replay),
    close: () => sandbox.close(),
  };
  stage.reset();
  return stage;
}

function clearedFaults(sandbox: Sandbox): Sandbox['state']['faults'] {
  const entries = Object.entries(sandbox.state.faults);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? 0 : false]),
  ) as unknown as Sandbox['state']['faults'];
}

function recordedClients(
  { clients, furtherClients }: RecordedServer,
  keys: StageKeys,
): SandboxClient[] {
  const jwks = JSON.stringify({ keys: [keys.k1.publicJwk] });
  const make = (id: string, over: Partial<SandboxClient> = {}): SandboxClient => ({
    id,
    name: 'recorded',
    confidential: true,
    enabled: true,
    scope: MAIN_SCOPES,
    jwks,
    jwksUri: '',
    redirectUris: ['https://client.example/cb'],
    registeredAtMs: 0,
    ...over,
  });
  return [
    make(clients.main, { name: 'main inline jwks' }),
    make(clients.disabled, { enabled: false }),
    make(clients.observations, { scope: 'system/Observation.read' }),
    make(clients.openid, { scope: `openid user/Patient.read ${MAIN_SCOPES}` }),
    make(clients.remoteKeys),
    make(clients.inlineKeys),
    make(clients.disabledLater),
    ...Object.entries(furtherClients).map(([id, scope]) => make(id, { scope })),
  ];
}

function buildAssertion(stage: Stage, transcript: Transcript, options: ReplayOptions): string {
  const recorded = transcript.request.assertion_decoded ?? plainAssertion(stage, transcript);
  const key = options.signWith ?? keyOf(stage.keys, recorded.header['kid']);
  const shift =
    Math.floor(stage.sandbox.state.clock.now() / 1000) - recordedAtMs(transcript) / 1000;
  const claims = Object.fromEntries(
    Object.entries(recorded.claims).map(([name, value]) => [name, shiftClaim(name, value, shift)]),
  );
  const assertion = signJwt(recorded.header, key, claims);
  return options.alter === undefined ? assertion : options.alter(assertion);
}

/** The assertion of a recording that does not show its own: nothing about it is special. */
function plainAssertion({ server }: Stage, transcript: Transcript): RecordedJwt {
  const now = recordedAtMs(transcript) / 1000;
  return {
    header: { alg: 'RS384', typ: 'JWT', kid: 'k1' },
    claims: {
      iss: server.clients.main,
      sub: server.clients.main,
      aud: `${server.origin}/oauth2/default/token`,
      exp: now + 60,
      iat: now,
      jti: randomUUID(),
    },
    signature_bytes: 256,
  };
}

function keyOf(keys: StageKeys, kid: unknown): TestKey {
  return kid === 'k2' ? keys.k2 : kid === 'e1' ? keys.e1 : keys.k1;
}

function shiftClaim(name: string, value: unknown, shiftSeconds: number): unknown {
  if (name === 'pad') return 'x'.repeat(Number(/(\d+) characters/.exec(String(value))?.[1] ?? 0));
  if (!['exp', 'iat', 'nbf'].includes(name)) return value;
  if (typeof value === 'string') return String(Number(value) + shiftSeconds);
  return Number(value) + shiftSeconds;
}

/** Signs with whatever the header says; `none` and unknown ones with the key's own algorithm. */
export function signJwt(
  header: Record<string, unknown>,
  key: TestKey,
  claims: Record<string, unknown>,
): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const payload = `${encode(header)}.${encode(claims)}`;
  const alg = typeof header['alg'] === 'string' ? header['alg'] : 'RS384';
  const hash = alg.endsWith('256') ? 'sha256' : 'sha384';
  const signature = alg.startsWith('HS')
    ? randomBytes(32)
    : sign(hash, Buffer.from(payload), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${payload}.${signature.toString('base64url')}`;
}

async function replayTranscript(
  stage: Stage,
  transcript: Transcript,
  options: ReplayOptions,
): Promise<Replay> {
  const { request } = transcript;
  const { sandbox } = stage;
  const target = options.target ?? request.url.replace(/^https?:\/\/[^/]*/, '');
  const fields = Object.entries({ ...request.headers, ...options.fields });
  const filled: [string, string][] = [];
  for (const [name, value] of fields) {
    if (/<JWT \d+ chars>/.test(value)) {
      const bearer = options.bearer ?? (await issueRecordedToken(stage, transcript));
      filled.push([name, value.replace(/<JWT \d+ chars>/, bearer)]);
    } else filled.push([name, value]);
  }
  if (!filled.some(([name]) => name.toLowerCase() === 'host')) {
    filled.unshift(['Host', new URL(request.url).host]);
  }
  const body = options.body ?? buildBody(stage, transcript, options);
  const before = readFileSync(sandbox.errorLog).length;
  const answer = await send({
    method: request.method,
    origin: sandbox.url,
    target: target.replace(/<JWT \d+ chars>/, () => stage.buildAssertion(transcript, options)),
    fields: filled,
    ...(body === undefined ? {} : { body }),
  });
  const log = readFileSync(sandbox.errorLog).subarray(before).toString('utf8');
  return { answer, log: log.split('\n').filter((line) => line !== '') };
}

async function issueRecordedToken(stage: Stage, transcript: Transcript): Promise<string> {
  const claims = transcript.request.bearer_decoded?.claims;
  if (claims === undefined) throw new Error(`${transcript.name}: give the bearer token`);
  const scopes = (claims['scopes'] as string[]).filter((scope) => !scope.startsWith('site:'));
  return stage.issueToken(String(claims['aud']), scopes.join(' '));
}

function buildBody(
  stage: Stage,
  transcript: Transcript,
  options: ReplayOptions,
): string | undefined {
  const { form, body, headers } = transcript.request;
  const assertion = () => options.assertion ?? stage.buildAssertion(transcript, options);
  if (body !== undefined) return body.replace(/<JWT \d+ chars>/, assertion);
  if (form === undefined) return headers['Content-Length'] === '0' ? '' : undefined;
  const entries = Object.entries({ ...form, ...options.form }).map(([name, value]) => [
    name,
    /^<JWT \d+ chars>/.test(value) ? assertion() : expandCut(value),
  ]);
  return new URLSearchParams(entries as [string, string][]).toString();
}

/** A value of one repeated character, of which the recording kept the beginning and the length. */
function expandCut(value: string): string {
  const length = Number(/ ?…\[(\d+) characters\]$/.exec(value)?.[1] ?? 0);
  return length === 0 ? value : (value[0] ?? '').repeat(length);
}
