/** Finds the server and, with the user's consent, trusts its certificate. */
import { resolve } from 'node:path';

import { Agent, type buildConnector } from 'undici';

import { requestServerDescription, type ServerDescription } from '../../auth/server-description.ts';
import { ProxyError } from '../../base/errors.ts';
import type { TlsConfig } from '../../config/schema.ts';
import type { Dialogue } from '../dialogue.ts';
import { createWarningLogger } from '../loggers.ts';
import { assertPinned, trustCertificate } from './certificate-consent.ts';
import { loadTrust, refusalOfAddress } from './flags.ts';
import type { RegistrationSession } from './session.ts';

/** Milliseconds for each request of the setup. */
export const REQUEST_MS = 15_000;

/** A server, and how to reach it. */
export interface ReachedServer {
  description: ServerDescription;
  /** Trusts what was agreed on; not bound to one origin. Close it. */
  dispatcher: Agent;
  /** Part of the config's `tls`; `ca` is an absolute path. */
  tls: Pick<TlsConfig, 'ca' | 'serverName'>;
  /** Absolute paths of the files that were written on the way. */
  written: readonly string[];
}

/**
 * Reaches the server of the arguments, or asks for its address.
 *
 * @throws UsageError when a flag is missing, ProxyError when there is no such server or it is not trusted
 */
export async function reachServer(session: RegistrationSession): Promise<ReachedServer> {
  const { args, dialogue } = session;
  if (args.url !== undefined) return reach(args.url, session);
  for (;;) {
    const url = await dialogue.askText({
      flag: 'the URL of the server',
      message: 'Where is OpenEMR? Any of its addresses will do',
      expected: 'one such as https://localhost:9300',
      placeholder: 'https://localhost:9300',
      check: (text) => refusalOfAddress(text, args.site),
    });
    try {
      return await reach(url, session);
    } catch (error) {
      // Mistyped more often than down; another address may be the right one.
      if (!(error instanceof ProxyError) || !error.code.startsWith('server-')) throw error;
      dialogue.warn(error.message);
    }
  }
}

async function reach(url: string, session: RegistrationSession): Promise<ReachedServer> {
  const { args, cwd, dialogue } = session;
  const pin = args['pin-certificate'];
  const ca = args.ca === undefined ? undefined : resolve(cwd, args.ca);
  const first = await ask(url, ca === undefined ? {} : { ca }, session);
  if (!('untrusted' in first)) {
    await assertPinned(pin, first.description.fhirBase, REQUEST_MS);
    return describe(first, dialogue);
  }
  const { origin } = first.untrusted;
  const trusted = await trustCertificate(origin, REQUEST_MS, session);
  const { serverName } = trusted;
  const tls = { ca: trusted.ca, ...(serverName === undefined ? {} : { serverName }) };
  const second = await ask(url, tls, session);
  if ('untrusted' in second) {
    throw new ProxyError(
      'certificate-not-trusted',
      `the pinned certificate of "${origin}" is not enough (${second.untrusted.code}): name its authority with --ca`,
    );
  }
  return describe({ ...second, written: trusted.written ? [trusted.ca] : [] }, dialogue);
}

async function ask(
  url: string,
  tls: ReachedServer['tls'],
  session: RegistrationSession,
): Promise<ReachedServer | { untrusted: { origin: string; code: string } }> {
  const options = await loadTrust(tls);
  const connect = { ...(options as buildConnector.BuildOptions), timeout: REQUEST_MS };
  const dispatcher = new Agent({ connect });
  const logger = createWarningLogger(session);
  try {
    const found = await requestServerDescription(url, {
      site: session.args.site,
      dispatcher,
      timeoutMs: REQUEST_MS,
      clock: Date,
      logger,
    });
    if (!('untrusted' in found)) return { description: found, dispatcher, tls, written: [] };
    await dispatcher.destroy();
    return found;
  } catch (error) {
    await dispatcher.destroy();
    throw error;
  }
}

/** Says what was found. */
function describe(server: ReachedServer, dialogue: Dialogue): ReachedServer {
  const { fhirBase, software, fhirVersion, systemScopes, tokenEndpoint, pages } =
    server.description;
  const name = software.name ?? 'a FHIR server';
  const version = software.version ?? (name === 'OpenEMR' ? '7.0.4 or later' : '');
  dialogue.step(
    `found ${`${name} ${version}`.trim()}, FHIR ${fhirVersion ?? 'version unknown'}\n${fhirBase}`,
  );
  // Other servers may have theirs elsewhere on purpose; init asks about that.
  if (pages !== undefined && new URL(tokenEndpoint).origin !== new URL(fhirBase).origin) {
    dialogue.warn(
      `the server calls itself ${new URL(tokenEndpoint).origin}: correct "Site Address Override" in its settings if that is wrong; the proxy copes with it`,
    );
  }
  if (systemScopes.length === 0) {
    dialogue.warn(
      'the server announces no system scopes: switch on Admin > Config > Connectors > "Enable OpenEMR FHIR System Scopes"',
    );
  }
  return server;
}
