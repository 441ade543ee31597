import { isWildcardHost, ownAddress } from '../config/host.ts';
import type { LoadConfigOptions } from '../config/load.ts';
import type { ProxyConfig } from '../config/schema.ts';
import { localAuthorityFile } from '../listen/local-authority.ts';
import { createProxyServer, type ProxyServer } from '../server.ts';
import { shellWord } from './certificate.ts';
import { ExitError } from './exit-error.ts';
import { type FollowedConfig, followConfig } from './follow-config.ts';
import { loadCommandConfig } from './load.ts';
import { createProxyLogger, createSilentLogger } from './loggers.ts';
import { type Runtime, signalExitCode, stopped } from './runtime.ts';
import { listenForKeys, openInBrowser } from './terminal-keys.ts';
import { withTrustedCommands } from './trust.ts';

/** How `start` was called. */
export interface RunOptions extends Pick<LoadConfigOptions, 'file' | 'flags'> {
  /** Whether the config file may run programs, now and later. */
  trust: boolean;
  /** Whether the first line, with the address, is all that is printed. */
  quiet: boolean;
}

/** Loads the configuration and runs the proxy until a signal, which it throws as an ExitError. */
export async function runProxy(
  { file: named, flags, quiet, trust }: RunOptions,
  runtime: Runtime,
): Promise<void> {
  const loadAll = () => loadCommandConfig({ file: named, flags, runsLogCommands: true }, runtime);
  // While the proxy runs, no question is asked: what changes has to be confirmed at the next start.
  const load = async () =>
    withTrustedCommands(await loadAll(), { isGiven: false, mayAsk: false }, runtime);
  const sinceMs = Date.now();
  const loaded = await withTrustedCommands(
    await loadAll(),
    { isGiven: trust, mayAsk: true },
    runtime,
  );
  const { config, file, warnings } = loaded;
  const logger = createProxyLogger(runtime, config.log.level, logFormat(config, runtime));
  for (const warning of warnings) logger.warn({}, warning);
  if (file !== undefined) logger.debug({ file }, 'configuration read');
  const proxy = await createProxyServer(config, { logger });
  const stop = runtime.stopSignal();
  let followed: FollowedConfig | undefined;
  try {
    const url = await proxy.listen();
    logger.debug({ url, routes: proxy.describe() }, 'listening');
    writeReady(url, config, runtime, quiet);
    offerKeys(url, config, proxy, runtime);
    followed = followConfig({ loaded, load, proxy, logger, watch: { sinceMs } });
    const signal = await stopped(stop);
    logger.info({ signal }, 'stopping: no new requests; what is in flight is finished');
    throw new ExitError(signalExitCode(signal));
  } finally {
    const lastChange = followed?.close();
    await proxy.close();
    await lastChange;
    logger.flush();
  }
}

function logFormat({ log }: ProxyConfig, { stderr }: Runtime): 'pretty' | 'json' {
  if (log.format !== 'auto') return log.format;
  return stderr.isTTY ? 'pretty' : 'json';
}

function writeReady(
  url: string,
  { listen, routes }: ProxyConfig,
  { stdout }: Runtime,
  quiet: boolean,
) {
  stdout.write(`ready on ${url}\n`);
  if (quiet) return;
  stdout.write(`try: curl ${curlAddress(url, listen)}${routes[0]?.path ?? ''}/Patient\n`);
}

/** Keys for a person at the terminal. */
function offerKeys(url: string, config: ProxyConfig, proxy: ProxyServer, runtime: Runtime): void {
  const { listen } = config;
  const page = `${pageAddress(url, listen)}/_proxy/`;
  const open = {
    key: 'o',
    does: 'open the inspector',
    act: () => openInBrowser(page, process.platform),
  };
  const keys = listenForKeys(runtime, [
    { key: 'r', does: 'renew the token', act: () => proxy.renewTokens() },
    { key: 'd', does: 'doctor', act: () => printChecks(config, runtime) },
    // A browser opens no Unix socket.
    ...(listen.socket === undefined ? [open] : []),
    { key: 'q', does: 'quit', act: async () => runtime.raise('SIGINT') },
  ]);
  if (keys !== undefined) runtime.stderr.write(`${keys}\n`);
}

async function printChecks(config: ProxyConfig, { stderr, environment }: Runtime): Promise<void> {
  const { runChecks } = await import('../doctor/run-checks.ts');
  const { createCheckPrinter } = await import('./check-lines.ts');
  const printer = createCheckPrinter(stderr, environment);
  await runChecks(config, {
    logger: createSilentLogger(),
    runsLogCommands: true,
    onStart: (check, route) => printer.start(check, route),
    onResult: (result) => printer.result(result),
  });
  printer.end();
}

function curlAddress(url: string, listen: ProxyConfig['listen']): string {
  const { socket, tls } = listen;
  if (socket !== undefined) return `--unix-socket ${socket} http://localhost`;
  const authority = tls === 'auto' ? localAuthorityFile(listen) : undefined;
  const trust = authority === undefined ? '' : `--cacert ${shellWord(authority)} `;
  return trust + pageAddress(url, listen);
}

function pageAddress(url: string, listen: ProxyConfig['listen']): string {
  const { host, tls } = listen;
  if (host === undefined || !isWildcardHost(host)) return url;
  return ownAddress(listen, Number(new URL(url).port || (tls === undefined ? 80 : 443)));
}
