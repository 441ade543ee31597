/** The route under examination, and what the checks have found out about it so far. */
import { Agent } from 'undici';

import { createDiscovery, type Discovery, type SmartConfiguration } from '../auth/discovery.ts';
import { type HttpAnswer, requestAnswer } from '../auth/http-answer.ts';
import type { SigningKey } from '../auth/signing-key.ts';
import type { AccessToken, Clock, Logger } from '../base/contracts.ts';
import type { RouteConfig } from '../config/schema.ts';
import type { Destination } from '../routes/destination.ts';
import { createDiagnosis, type ServedRoute } from '../routes/diagnosis.ts';
import { createRoute } from '../routes/route.ts';
import type { ServerFacts } from './capability-statement.ts';

/** What earlier checks found out, for later ones. */
export interface Facts {
  key?: SigningKey;
  /** From the metadata. */
  server?: ServerFacts;
  /** By the name that it gives itself. */
  isOpenEmr?: boolean;
  smart?: SmartConfiguration;
  /** OpenEMR 7.0.4 or later, which know SMART v2 scopes; undefined when not known. */
  modern?: boolean;
  /** Server clock minus ours in milliseconds. */
  clockDifferenceMs?: number;
  token?: AccessToken;
}

/** One route under examination. */
export interface Subject {
  readonly config: RouteConfig;
  readonly destination: Destination;
  /** The FHIR base, without a slash at the end. */
  readonly base: URL;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the program of "errorLogCommand" may run. */
  readonly runsLogCommands: boolean;
  readonly facts: Facts;
  /**
   * Connections for what anyone may read. The TLS check puts one in place that does not verify the
   * certificate when that is what failed; credentials never travel on these.
   */
  open: Agent;
  /**
   * Asks for something that needs no token. Rejects with what undici or Node reports.
   *
   * @param agent default: `open`
   */
  get(url: string, agent?: Agent): Promise<HttpAnswer>;
  /** Its discovery, on the open connections of now; made at the first call. */
  discovery(): Discovery;
  /** The route as the proxy would make it; made at the first call. Rejects with ConfigError. */
  route(): Promise<ServedRoute>;
  close(): Promise<void>;
}

/** Puts a route up for examination; asks nothing yet. */
export function createSubject(
  config: RouteConfig,
  destination: Destination,
  shared: { clock: Clock; logger: Logger; runsLogCommands: boolean },
): Subject {
  let discovery: Discovery | undefined;
  let made: Promise<ServedRoute> | undefined;
  const first = new Agent({ connect: { timeout: config.timeouts.connectMs } });
  const subject: Subject = {
    config,
    destination,
    base: new URL(destination.fhirBase),
    ...shared,
    facts: {},
    open: first,
    get: (url, agent = subject.open) =>
      requestAnswer({
        url,
        method: 'GET',
        headers: { accept: 'application/fhir+json, application/json' },
        dispatcher: agent,
        timeoutMs: config.timeouts.tokenMs,
        clock: shared.clock,
      }),
    discovery: () =>
      (discovery ??= createDiscovery({
        ...shared,
        fhirBase: subject.base,
        dispatcher: subject.open,
        timeoutMs: config.timeouts.tokenMs,
        hasAuthority: config.tls.ca !== undefined,
      })),
    route() {
      // The caller opened its destination and closes it.
      const lent = { ...destination, close: () => Promise.resolve() };
      const { errorLogCommand: _, ...quiet } = config;
      made ??= createRoute(shared.runsLogCommands ? config : quiet, shared, lent).then((route) => ({
        ...route,
        diagnosis: createDiagnosis(route, shared.clock),
      }));
      return made;
    },
    async close() {
      await Promise.all([
        first.destroy(),
        subject.open.destroy(),
        made?.then((route) => route.close()).catch(() => undefined),
      ]);
    },
  };
  return subject;
}
