/** A proxy under test that follows its configuration, with a folder, a key and a server of its own. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { followConfig } from '../../src/commands/follow-config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createProxyServer } from '../../src/server.ts';
import { startAuthorizationServer } from './authorization-server.ts';
import { rs384Key } from './keys.ts';
import { answerPatient, requireToken } from './proxy.ts';
import { createSecretWatch } from './secrets.ts';

/** Puts a file in the place of the old one, as editors do. */
export function replace(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** A folder with a config file and a key, and the server that they are for. */
export async function createSetup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'follow-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const key = rs384Key();
  const server = await startAuthorizationServer({
    keys: [key.publicJwk],
    fhir: (request, response) => requireToken(server, answerPatient)(request, response),
  });
  // The watch does not keep a program alive, so something else has to.
  const alive = setInterval(() => {}, 3_600_000);
  t.after(() => {
    clearInterval(alive);
    return server.close();
  });
  const file = join(folder, 'proxy.config.json');
  const keyFile = join(folder, 'key.json');
  const text = (members: object = {}) =>
    JSON.stringify({
      listen: { port: 0 },
      routes: [
        {
          path: '/fhir',
          upstream: server.fhirBase.href,
          client: { id: server.clientId, key: 'key.json', scopes: ['system/Patient.read'] },
        },
      ],
      ...members,
    });
  replace(keyFile, key.text);
  replace(file, text());
  return { folder, file, keyFile, text, server, key };
}

/** A proxy that follows its configuration, inside this process. */
export async function startFollowing(t: TestContext, environment: Environment = {}) {
  const setup = await createSetup(t);
  const watch = createSecretWatch();
  const logger = createLogger({ format: 'json', level: 'debug', stream: watch.stream });
  const load = () => loadConfig({ cwd: setup.folder, environment });
  const sinceMs = Date.now();
  const loaded = await load();
  const proxy = await createProxyServer(loaded.config, { logger });
  const url = await proxy.listen();
  const followed = followConfig({
    loaded,
    load,
    proxy,
    logger,
    watch: { sinceMs, quietMs: 20, pollMs: 200 },
  });
  t.after(async () => {
    const last = followed.close();
    await proxy.destroy();
    await last;
    watch.addSecret(setup.key.privateJwk.d!);
    watch.assertNone();
  });
  return {
    ...setup,
    /** Waits for a line of the log. */
    async logged(pattern: RegExp): Promise<string> {
      for (;;) {
        logger.flush();
        const line = watch.lines().find((each) => pattern.test(each));
        if (line !== undefined) return line;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    forget: () => watch.clear(),
    watch,
    url,
    status: async (path: string) => (await fetch(url + path)).status,
  };
}
