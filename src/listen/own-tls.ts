/** The listener's own TLS: which certificate it has, and how it takes over a new one while it runs. */
import type { Server } from 'node:https';

import { readKeyText } from '../auth/key-file.ts';
import { ConfigError, ProxyError } from '../base/errors.ts';
import type { ListenConfig } from '../config/schema.ts';
import { loadCertificatePair } from '../config/tls.ts';
import { makeLocalCertificate } from './local-authority.ts';
import { isNearExpiry, type LocalCertificate } from './local-certificate.ts';

/** The certificate in use. */
export interface OwnTls {
  /**
   * Reads or makes the certificate that a configuration means.
   *
   * @returns a function that puts it in use
   * @throws ConfigError, and the old one stays
   */
  prepare(listen: ListenConfig): Promise<() => void>;
  close(): void;
}

const LOOK_EVERY_MS = 3_600_000;

/** @param server gets the certificate before it listens, and each new one */
export function createOwnTls(server: Pick<Server, 'setSecureContext'>): OwnTls {
  let made: (LocalCertificate & { names: string }) | undefined;
  let renewal: NodeJS.Timeout | undefined;

  const prepare = async (listen: ListenConfig): Promise<() => void> => {
    const { tls } = listen;
    if (tls === undefined) return () => undefined;
    if (tls !== 'auto') {
      await assertKeptWell(tls.key);
      const pair = await loadCertificatePair(tls, 'listen.tls');
      return () => {
        clearInterval(renewal);
        server.setSecureContext(pair);
      };
    }
    const names = JSON.stringify([listen.host, listen.allowedHosts]);
    const isUsable = made?.names === names && !isNearExpiry(made);
    const certificate = isUsable ? made : { ...(await makeLocalCertificate(listen)), names };
    return () => {
      if (certificate !== undefined && certificate !== made) {
        made = certificate;
        server.setSecureContext({ cert: certificate.cert, key: certificate.key });
      }
      clearInterval(renewal);
      renewal = setInterval(() => renew(listen), LOOK_EVERY_MS).unref();
    };
  };
  // A failure is tried again at the next look, long before the certificate expires.
  const renew = (listen: ListenConfig): void => {
    prepare(listen).then(
      (adopt) => adopt(),
      () => undefined,
    );
  };
  return { prepare, close: () => clearInterval(renewal) };
}

/** Signing keys and this one are judged alike. */
async function assertKeptWell(file: string): Promise<void> {
  try {
    await readKeyText(file);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    // A file that is missing or not readable is for the reader of the pair to report.
    if (!['key-file-exposed', 'key-file-foreign', 'key-folder-exposed'].includes(error.code))
      return;
    throw new ConfigError([{ path: 'listen.tls.key', message: error.message }], { cause: error });
  }
}
