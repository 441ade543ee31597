/**
 * The embedded OpenEMR look-alike: a real HTTP server with token endpoint, registration, FHIR
 * endpoints and error log, wrong in the same places as the real one.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { JWK } from 'jose';

import type { Clock } from '../base/contracts.ts';
import { isLoopbackHost, isWildcardHost, withBrackets } from '../config/host.ts';
import type { SandboxUpstreamVersion } from '../config/sandbox-upstream.ts';
import { applyFaults } from './control.ts';
import type { SandboxSettings } from './exchange.ts';
import type { FaultSettings } from './faults.ts';
import { generatePair } from './server-keys.ts';
import { listen } from './server.ts';
import { createState } from './state.ts';
import { OPENEMR_7_0_3 } from './versions/openemr-7.0.3.ts';
import { OPENEMR_8_0_0 } from './versions/openemr-8.0.0.ts';
import type { SandboxState } from './versions/profile.ts';
import type { VersionProfile } from './versions/profile.ts';

export type { SandboxClient, SandboxSettings } from './exchange.ts';
export type { SandboxState } from './versions/profile.ts';
export { FAULT_NAMES, type FaultName, type FaultSettings, parseFaultText } from './faults.ts';

/** OpenEMR versions that the sandbox can play. */
export type SandboxVersion = SandboxUpstreamVersion;

/** Options of `startSandbox`; all have defaults. */
export interface SandboxOptions {
  /** Version to play; default `7.0.3`. */
  version?: SandboxVersion;
  /** Address to listen on; default `127.0.0.1`. */
  host?: string;
  /** What its URL calls the host; default `host`, or `127.0.0.1` when it listens on every address. */
  name?: string;
  /**
   * Whether it answers to every `Host`; default: on a loopback address only to loopback names, `name` and
   * the host of `settings.siteAddress`, elsewhere to all.
   */
  anyHost?: boolean;
  /** Port; default 0, a free one. */
  port?: number;
  /** Path of the error log; default: `error.log` in a new folder below the temporary one, removed by `close`. */
  errorLog?: string;
  /** PEM texts of a certificate and its key; default: plain HTTP. */
  tls?: { key: string; cert: string };
  /** Faults from the start on. */
  faults?: Partial<FaultSettings>;
  /** The ready client, for setups that need the same one at each start. */
  client?: {
    /** Default: a random one. */
    id?: string;
    /** Its private RSA key; default: one of this process, the same for all its sandboxes. */
    key?: JWK;
  };
  /**
   * OpenEMR's global settings; default: every API on; the site address is the
   * sandbox's own origin, and empty when it listens on every address.
   */
  settings?: Partial<SandboxSettings>;
  /** Time source; default: the system's. */
  clock?: Clock;
}

/** A sandbox that listens. */
export interface Sandbox {
  /** Its origin, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** `<url>/apis/default/fhir`. */
  readonly fhirBase: string;
  /** `<url>/oauth2/default/token`. */
  readonly tokenEndpoint: string;
  /** A client that is registered and enabled. */
  readonly client: {
    readonly id: string;
    /** Its private key: the given one, else RSA 2048, made once for all sandboxes of a process and never written anywhere. */
    readonly key: JWK;
    /** Scopes that it is registered for. */
    readonly scopes: readonly string[];
  };
  /** Path of the error log. */
  readonly errorLog: string;
  /** Everything that it remembers; for tests that need a state which no request leads to. */
  readonly state: SandboxState;
  /** Sets faults, as `POST /__sandbox/faults` does. */
  setFaults(faults: Partial<FaultSettings>): void;
  /** Stops at once; open connections are destroyed. */
  close(): Promise<void>;
}

const VERSIONS: Readonly<Record<SandboxVersion, VersionProfile>> = {
  '7.0.3': OPENEMR_7_0_3,
  '8.0.0': OPENEMR_8_0_0,
};

/** Versions that `startSandbox` takes. */
export const SANDBOX_VERSIONS = Object.keys(VERSIONS) as readonly SandboxVersion[];

/** Whether a text from outside names one of them. */
export function isSandboxVersion(text: string): text is SandboxVersion {
  return Object.hasOwn(VERSIONS, text);
}

/** Scopes of the ready client: every read scope of the sample data, and bulk export. */
const READY_SCOPES = [
  'system/Patient.read',
  'system/Observation.read',
  'system/Encounter.read',
  'system/Condition.read',
  'system/MedicationRequest.read',
  'system/AllergyIntolerance.read',
  'system/Immunization.read',
  'system/Practitioner.read',
  'system/Organization.read',
  'system/Location.read',
  'system/Group.read',
  'system/DocumentReference.read',
  'system/Binary.read',
  'system/Patient.$export',
  'system/Group.$export',
  'system/*.$export',
  'system/*.$bulkdata-status',
] as const;

const CLIENT_ID_BYTES = 32;
const READY_CLIENT_NAME = 'fhir-auth-proxy';

let clientKey: Promise<JWK> | undefined;

/** Starts a sandbox; resolves once it listens and its ready client has a key. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { version = '7.0.3', host = '127.0.0.1', port = 0, tls, clock = Date } = options;
  const key = options.client?.key ?? (clientKey ??= generateClientKey());
  const folder =
    options.errorLog === undefined
      ? await mkdtemp(join(tmpdir(), 'fhir-auth-proxy-sandbox-'))
      : undefined;
  const state = createState({
    version: VERSIONS[version],
    errorLog: options.errorLog ?? join(folder ?? '', 'error.log'),
    clock,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  });
  applyFaults(state, options.faults ?? {});
  const server = await listen(state, {
    host,
    port,
    name: options.name,
    answersToAll: options.anyHost ?? !isLoopbackHost(host),
    ...(tls === undefined ? {} : { tls }),
  });
  // A client cannot call "every address"; the one that it calls is the one that it expects in the responses.
  const anyHost = isWildcardHost(host);
  const name = options.name ?? (anyHost ? '127.0.0.1' : host);
  const url = `${tls === undefined ? 'http' : 'https'}://${withBrackets(name)}:${server.port}`;
  if (options.settings?.siteAddress === undefined && !anyHost) state.settings.siteAddress = url;
  const client = addReadyClient(state, await key, options.client?.id);
  // Needed at the first token request; making it now and not earlier leaves the start alone.
  state.keys.privateKey().catch(() => undefined);
  return {
    url,
    fhirBase: `${url}/apis/default/fhir`,
    tokenEndpoint: `${url}/oauth2/default/token`,
    client,
    errorLog: state.log.path,
    state,
    setFaults: (faults) => applyFaults(state, faults),
    async close() {
      await server.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function generateClientKey(): Promise<JWK> {
  const { privateKey } = await generatePair();
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS384', use: 'sig' };
}

function addReadyClient(
  state: SandboxState,
  key: JWK,
  id = randomBytes(CLIENT_ID_BYTES).toString('base64url'),
): Sandbox['client'] {
  const { kty, n, e } = key;
  state.clients.set(id, {
    id,
    name: READY_CLIENT_NAME,
    confidential: true,
    enabled: true,
    scope: READY_SCOPES.join(' '),
    redirectUris: ['https://localhost/'],
    jwks: JSON.stringify({ keys: [{ kty, n, e, alg: 'RS384', use: 'sig' }] }),
    jwksUri: '',
    registeredAtMs: state.clock.now(),
  });
  return { id, key, scopes: [...READY_SCOPES] };
}
