/** The listener's own TLS: which certificate it has, and how it takes over a new one while it runs. */
import type { Server } from 'node:https';

import { readKeyText } from '../auth/key-file.ts';
import { ConfigError, ProxyError } from '../base/errors.ts';
import type { ListenConfig } from '../config/schema.ts';
import { loadCertificatePair } from '../config/tls.ts';
import { isNearExpiry, makeLocalCertificate, type LocalCertificate } from './local-authority.ts';

/** The certificate in use. */
export interface OwnTls {
  /** Reads or makes the certificate that the configuration means. @throws ConfigError, and the old one stays */
  use(listen: ListenConfig): Promise<void>;
  close(): void;
}

const LOOK_EVERY_MS = 3_600_000;

/** @param server gets the certificate before it listens, and each new one */
export function createOwnTls(server: Pick<Server, 'setSecureContext'>): OwnTls {
  let made: (LocalCertificate & { names: string }) | undefined;
  let renewal: NodeJS.Timeout | undefined;

  const use = async (listen: ListenConfig): Promise<void> => {
    const { tls } = listen;
    if (tls === undefined) return;
    clearInterval(renewal);
    if (tls !== 'auto') {
      await assertKeptWell(tls.key);
      server.setSecureContext(await loadCertificatePair(tls, 'listen.tls'));
      return;
    }
    const names = JSON.stringify([listen.host, listen.allowedHosts]);
    if (made === undefined || made.names !== names || isNearExpiry(made)) {
      made = { ...(await makeLocalCertificate(listen)), names };
      server.setSecureContext({ cert: made.cert, key: made.key });
    }
    // A failure is tried again at the next look, long before the certificate expires.
    renewal = setInterval(() => void use(listen).catch(() => undefined), LOOK_EVERY_MS).unref();
  };
  return { use, close: () => clearInterval(renewal) };
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
