/** What the sandbox remembers, at its start. */
import { randomUUID } from 'node:crypto';

import type { Clock } from '../base/contracts.ts';
import { createErrorLog } from './error-log.ts';
import type { SandboxSettings } from './exchange.ts';
import { noFaults } from './faults.ts';
import { createRecords } from './fhir/records.ts';
import { loadSampleData } from './fhir/sample/sample-data.ts';
import { createServerKeys } from './server-keys.ts';
import type { SandboxState } from './versions/profile.ts';
import type { VersionProfile } from './versions/profile.ts';

/** Apache's ProxyTimeout as recorded. */
const GATEWAY_TIMEOUT_MS = 60_000;

/** A new state without clients. @param options.settings what differs from an installation with every API on */
export function createState(options: {
  version: VersionProfile;
  errorLog: string;
  clock: Clock;
  settings?: Partial<SandboxSettings>;
}): SandboxState {
  const { version } = options;
  const faults = noFaults();
  const settings: SandboxSettings = {
    siteAddress: '',
    fhirApi: true,
    standardApi: true,
    portalApi: true,
    systemScopes: true,
    debugLog: false,
    tokenLifetimeSeconds: version.token.lifetimeSeconds,
    gatewayTimeoutMs: GATEWAY_TIMEOUT_MS,
    emptySites: [],
    ...options.settings,
  };
  const clock: Clock = { now: () => options.clock.now() + faults['clock-skew'] * 1000 };
  return {
    version,
    settings,
    faults,
    clock,
    clients: new Map(),
    tokens: new Map(),
    usedAssertions: new Set(),
    trustedUsers: new Set(),
    systemUser: { uuid: randomUUID(), missing: false },
    records: createRecords(loadSampleData),
    exportJobs: new Map(),
    keys: createServerKeys(),
    log: createErrorLog({ path: options.errorLog, clock, debug: () => settings.debugLog }),
  };
}

/**
 * Origin that OpenEMR puts in front of its absolute URLs: the site address verbatim, else the
 * scheme of the connection and the last X-Forwarded-Host, else Host.
 */
export function serverBase(
  request: { scheme: string; headers: Readonly<Record<string, string | undefined>> },
  settings: SandboxSettings,
): string {
  if (settings.siteAddress !== '') return settings.siteAddress;
  const forwarded = request.headers['x-forwarded-host']?.split(',').at(-1)?.trim();
  const host = forwarded === undefined || forwarded === '' ? request.headers['host'] : forwarded;
  return `${request.scheme}://${host ?? 'localhost'}`;
}
