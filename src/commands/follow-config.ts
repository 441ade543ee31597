import type { Logger } from '../base/contracts.ts';
import { ConfigError, describeProblem } from '../base/errors.ts';
import { configFiles } from '../config/files.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type FileWatchOptions, watchFiles } from '../config/watch.ts';
import type { ProxyServer, ReloadReport } from '../server.ts';

/** What to watch, and the proxy that gets the changes. */
export interface FollowConfigOptions {
  /** The configuration that is in use. */
  loaded: LoadedConfig;
  /** Loads it again. */
  load: () => Promise<LoadedConfig>;
  proxy: Pick<ProxyServer, 'reload'>;
  logger: Logger;
  watch?: FileWatchOptions;
}

/** The configuration under watch. */
export interface FollowedConfig {
  /** Ends the watch at once; resolves when no change is being taken over any more. */
  close(): Promise<void>;
}

/**
 * Takes over changes of the config file, keys and certificates. One that cannot be used is logged
 * with every problem, and what is in use stays in use.
 */
export function followConfig(options: FollowConfigOptions): FollowedConfig {
  const { load, proxy, logger } = options;
  let working: Promise<void> = Promise.resolve();
  let logged: readonly string[] = options.loaded.warnings;

  const takeOver = async (): Promise<void> => {
    try {
      const loaded = await load();
      watch.follow(configFiles(loaded));
      const report = await proxy.reload(loaded.config);
      for (const warning of loaded.warnings)
        if (!logged.includes(warning)) logger.warn({}, warning);
      logged = loaded.warnings;
      logReport(report, logger);
    } catch (error) {
      logFailure(error, logger);
    }
  };
  const watch = watchFiles(
    configFiles(options.loaded),
    () => {
      working = working.then(takeOver);
    },
    options.watch,
  );

  return {
    close() {
      watch.close();
      return working;
    },
  };
}

function logReport({ added, changed, removed, needsRestart }: ReloadReport, logger: Logger): void {
  for (const setting of needsRestart) {
    logger.warn({ setting }, `"${setting}" has changed: restart the proxy to use the new value`);
  }
  const parts = Object.entries({ added, changed, removed }).filter(([, paths]) => paths.length > 0);
  const what = parts.map(([name, paths]) => `${name} "${paths.join('", "')}"`).join(', ');
  logger.info(
    Object.fromEntries(parts),
    `configuration read again: ${what === '' ? 'no route has changed' : what}`,
  );
}

function logFailure(error: unknown, logger: Logger): void {
  if (!(error instanceof ConfigError)) {
    logger.error({}, `the changed configuration cannot be used: ${(error as Error).message}`);
    return;
  }
  const { problems, file } = error;
  for (const problem of problems) {
    const { path, remedy } = problem;
    logger.error(
      { code: error.code, path, file },
      `the changed configuration cannot be used, the old one stays: ${describeProblem(problem)}${remedy === undefined ? '' : `. ${remedy}`}`,
    );
  }
}
