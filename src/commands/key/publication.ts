/** Where a server that fetches our keys finds them while they are being changed: at the proxy of the configuration. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { JWK } from 'jose';
import { Agent, fetch } from 'undici';

import { buildJwks } from '../../auth/jwks.ts';
import type { SigningKey } from '../../auth/signing-key.ts';
import { ProxyError } from '../../base/errors.ts';
import { JWKS_PATH } from '../../base/own-paths.ts';
import { ownAddress } from '../../config/host.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { ListenConfig, ProxyConfig } from '../../config/schema.ts';
import { startPublishingProxy } from '../publishing-proxy.ts';
import type { Session } from '../session.ts';

/** How long a running proxy may take to read its changed configuration. */
const TAKE_OVER_MS = 10_000;
const ASK_EVERY_MS = 100;
const ANSWER_MS = 2_000;

/** The published keys. */
export interface Publication {
  /** Resolves once these keys are published, in this order; rejects when `stop` is aborted before. */
  adopt(keys: readonly SigningKey[], stop: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * The proxy that runs where the configuration says, else one that is started here until the command ends.
 *
 * @param load reads the configuration again
 * @param kid of the key that a running proxy of this configuration publishes now
 */
export async function openPublication(
  load: () => Promise<LoadedConfig>,
  kid: string,
  session: Session,
): Promise<Publication> {
  const { config } = await load();
  const url = publishedUrl(config.listen);
  const keys = url === undefined ? undefined : await fetchKeys(url);
  if (url !== undefined && keys?.some((key) => key.kid === kid) === true) {
    session.dialogue.step(`a proxy is running; it publishes the keys at ${url}`);
    return followRunning(url);
  }
  return startOwn(config, load, session);
}

/** It follows its config file by itself. */
function followRunning(url: string): Publication {
  return {
    async adopt(keys, stop) {
      const wanted = buildJwks(keys).keys.map(({ kid }) => kid);
      const startedAtMs = performance.now();
      for (;;) {
        const there = ((await fetchKeys(url, stop)) ?? []).map(({ kid }) => kid);
        stop.throwIfAborted();
        // Other routes may publish keys between them.
        const found = there.filter((kid) => wanted.includes(kid));
        if (found.join('\n') === wanted.join('\n')) return;
        if (performance.now() - startedAtMs > TAKE_OVER_MS) break;
        await sleep(ASK_EVERY_MS, undefined, { signal: stop });
      }
      throw new ProxyError(
        'keys-not-published',
        `the proxy at "${url}" does not publish the changed keys: does it run with this config file? Its log says why it cannot use it`,
      );
    },
    close: () => Promise.resolve(),
  };
}

async function startOwn(
  config: ProxyConfig,
  load: () => Promise<LoadedConfig>,
  session: Session,
): Promise<Publication> {
  const { dialogue } = session;
  const { url, refusal, reload, close } = await startPublishingProxy(config, session);
  if (url === undefined) dialogue.warn(`the keys cannot be published from here: ${refusal}`);
  else
    dialogue.step(`no proxy is running: the keys are published at ${url} until this command ends`);
  return {
    async adopt() {
      await reload((await load()).config);
    },
    close,
  };
}

/** Undefined for a Unix socket and a free port, where no server can ask. */
function publishedUrl(listen: ListenConfig): string | undefined {
  const { port, socket } = listen;
  if (socket !== undefined || port === 0) return undefined;
  return ownAddress(listen, port) + JWKS_PATH;
}

async function fetchKeys(url: string, stop?: AbortSignal): Promise<JWK[] | undefined> {
  const late = AbortSignal.timeout(ANSWER_MS);
  // Public keys of a proxy on this machine, whatever names its certificate has.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const signal = stop === undefined ? late : AbortSignal.any([stop, late]);
    const answer = await fetch(url, { signal, dispatcher });
    const { keys } = (await answer.json()) as { keys?: JWK[] };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  } finally {
    await dispatcher.destroy();
  }
}
