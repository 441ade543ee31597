/** Finds the server and, with the consent of whoever asks, trusts its certificate. */
import { resolve } from 'node:path';

import { Agent, type buildConnector } from 'undici';

import {
  requestServerCertificate,
  isSameFingerprint,
  type ServerCertificate,
} from '../../auth/server-certificate.ts';
import { requestServerDescription, type ServerDescription } from '../../auth/server-description.ts';
import type { TlsConfig } from '../../config/schema.ts';
import { loadTlsOptions } from '../../config/tls.ts';
import { ProxyError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { createWarningLogger } from '../loggers.ts';
import type { Runtime } from '../runtime.ts';
import type { RegistrationArgs } from './arguments.ts';
import { isPinned, writeCertificate } from './certificate-file.ts';

/** Milliseconds for each request of the setup. */
export const REQUEST_MS = 15_000;

/** A server, and how to reach it. */
export interface ReachedServer {
  description: ServerDescription;
  /** Trusts what was agreed on; not bound to one origin. Close it. */
  dispatcher: Agent;
  /** Part of the config's `tls`; `ca` is an absolute path. */
  tls: Pick<TlsConfig, 'ca' | 'serverName'>;
}

type Where = Pick<RegistrationArgs, 'url' | 'site' | 'pin-certificate' | 'ca'>;

/**
 * @param folder where `certs/` for a pinned certificate is
 * @throws UsageError when a flag is missing, ProxyError when there is no such server or it is not trusted
 */
export async function reachServer(
  args: Where,
  folder: string,
  dialogue: Dialogue,
  runtime: Runtime,
): Promise<ReachedServer> {
  const url =
    args.url ??
    (await dialogue.askText({
      flag: 'the URL of the server',
      message: 'Where is OpenEMR? Any of its addresses will do',
      expected: 'one such as https://localhost:9300',
      placeholder: 'https://localhost:9300',
    }));
  const ca = args.ca === undefined ? undefined : resolve(runtime.cwd, args.ca);
  const first = await ask(url, args, ca === undefined ? {} : { ca }, runtime);
  if (!('untrusted' in first)) return tell(first, dialogue);
  const { origin } = first.untrusted;
  const certificate = await requestServerCertificate(origin, REQUEST_MS);
  if (await isPinned(folder, origin, certificate)) dialogue.step('took the pinned certificate');
  else await agreeOn(certificate, origin, args, dialogue);
  const { serverName } = certificate;
  const tls = {
    ca: await writeCertificate(folder, origin, certificate),
    ...(serverName === undefined ? {} : { serverName }),
  };
  const second = await ask(url, args, tls, runtime);
  if ('untrusted' in second) {
    throw new ProxyError(
      'certificate-not-trusted',
      `the pinned certificate of "${origin}" is not enough (${second.untrusted.code}): name its authority with --ca`,
    );
  }
  return tell(second, dialogue);
}

async function ask(
  url: string,
  { site }: Where,
  tls: ReachedServer['tls'],
  runtime: Runtime,
): Promise<ReachedServer | { untrusted: { origin: string; code: string } }> {
  const options = await loadTlsOptions({ insecure: false, ...tls }, '--ca');
  const connect = { ...(options as buildConnector.BuildOptions), timeout: REQUEST_MS };
  const dispatcher = new Agent({ connect });
  const logger = createWarningLogger(runtime);
  try {
    const found = await requestServerDescription(url, {
      site,
      dispatcher,
      timeoutMs: REQUEST_MS,
      clock: Date,
      logger,
    });
    if (!('untrusted' in found)) return { description: found, dispatcher, tls };
    await dispatcher.destroy();
    return found;
  } catch (error) {
    await dispatcher.destroy();
    throw error;
  }
}

async function agreeOn(
  certificate: ServerCertificate,
  origin: string,
  args: Where,
  dialogue: Dialogue,
): Promise<void> {
  const { subject, issuer, validTo, sha256, selfSigned } = certificate;
  dialogue.note(`The certificate of ${origin} is not signed by a trusted authority`, [
    `subject  ${subject}`,
    `issuer   ${issuer}`,
    `expires  ${validTo.toISOString().slice(0, 10)}`,
    `SHA-256  ${sha256}`,
  ]);
  if (!selfSigned) {
    throw new ProxyError(
      'certificate-not-trusted',
      `the certificate of "${origin}" cannot be pinned, its authority did not come with it: name the PEM file of "${issuer}" with --ca`,
    );
  }
  const pin = args['pin-certificate'];
  if (pin === 'first') return;
  if (pin !== undefined) {
    if (isSameFingerprint(pin, sha256)) return;
    throw new ProxyError(
      'certificate-not-trusted',
      `the certificate of "${origin}" has the SHA-256 ${sha256}: expected ${pin}. Somebody may be in between; compare on the server itself`,
    );
  }
  const isTrusted = await dialogue.askConfirm({
    flag: '--pin-certificate',
    message: 'Trust exactly this certificate? Compare the fingerprint if the network is not yours',
    expected: `the SHA-256 of the certificate to trust (the server shows ${sha256}), or --ca with its authority`,
  });
  if (isTrusted) return;
  throw new ProxyError(
    'certificate-not-trusted',
    `the certificate of "${origin}" is not trusted: name its authority with --ca, or install one that is`,
  );
}

function tell(server: ReachedServer, dialogue: Dialogue): ReachedServer {
  const { fhirBase, software, fhirVersion, systemScopes, tokenEndpoint } = server.description;
  const name = software.name ?? 'a FHIR server';
  const version = software.version ?? (name === 'OpenEMR' ? '7.0.4 or later' : '');
  dialogue.step(
    `found ${`${name} ${version}`.trim()}, FHIR ${fhirVersion ?? 'version unknown'}\n${fhirBase}`,
  );
  if (new URL(tokenEndpoint).origin !== new URL(fhirBase).origin) {
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
