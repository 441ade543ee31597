import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { followConfig } from '../src/commands/follow-config.ts';
import { loadConfig } from '../src/config/load.ts';
import { createLogger } from '../src/observe/logger.ts';
import { createProxyServer } from '../src/server.ts';
import { startAuthorizationServer } from './support/authorization-server.ts';
import { startCli } from './support/cli.ts';
import { rs384Key } from './support/keys.ts';
import { answerPatient, requireToken } from './support/proxy.ts';
import { createSecretWatch } from './support/secrets.ts';

/** Puts a file in the place of the old one, as editors do. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** A folder with a config file and a key, and the server that they are for. */
async function createSetup(t: TestContext) {
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
async function startFollowing(t: TestContext) {
  const setup = await createSetup(t);
  const watch = createSecretWatch();
  const logger = createLogger({ format: 'json', level: 'debug', stream: watch.stream });
  const load = () => loadConfig({ cwd: setup.folder });
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
    status: async (path: string) => (await fetch(url + path)).status,
  };
}

describe('a config file under watch', () => {
  test('a valid change is taken over', async (t) => {
    const { file, text, server, logged, status } = await startFollowing(t);
    assert.equal(await status('/fhir/Patient'), 200);
    const routes = JSON.parse(text()).routes as object[];
    replace(file, text({ routes: [...routes, { ...routes[0], path: '/more' }] }));
    await logged(/configuration read again: added \\"\/more\\"/);
    assert.equal(await status('/more/Patient'), 200);
    assert.equal(server.requests.length, 2);
  });

  test('an invalid one is told with every problem; the old one stays, and the next valid one counts', async (t) => {
    const { file, text, logged, status, forget } = await startFollowing(t);
    replace(file, text({ drainMs: -1, colour: 'blue' }));
    await logged(
      /"code":"config-invalid","path":"drainMs".*the old one stays: drainMs \(line 1, column \d+\)/,
    );
    await logged(/"path":"colour"/);
    assert.equal(await status('/fhir/Patient'), 200);
    replace(file, '{ "listen": ');
    await logged(/is not valid JSON/);
    assert.equal(await status('/fhir/Patient'), 200);
    forget();
    replace(file, text({ drainMs: 1 }));
    await logged(/configuration read again: every route goes on/);
  });

  test('what only a restart changes is said', async (t) => {
    const { file, text, logged } = await startFollowing(t);
    replace(file, text({ listen: { port: 8099 } }));
    const line = await logged(/"setting":"listen.port"/);
    assert.match(line, /"level":"warn".*restart the proxy/);
  });

  test('warnings are given once', async (t) => {
    const { file, text, logged, forget } = await startFollowing(t);
    const listen = { port: 0, unsafeAnyHost: true };
    replace(file, text({ listen }));
    await logged(/unsafeAnyHost is true/);
    forget();
    replace(file, text({ listen, drainMs: 5 }));
    assert.doesNotMatch(await logged(/configuration read again|unsafeAnyHost is true/), /unsafe/);
  });
});

test('a key file that is broken and mended again is followed', async (t) => {
  const { keyFile, key, logged, status } = await startFollowing(t);
  assert.equal(await status('/fhir/Patient'), 200);
  replace(keyFile, 'not a key');
  await logged(/"path":"routes\[\\"\/fhir\\"\]\.client\.key".*the old one stays/);
  assert.equal(await status('/fhir/Patient'), 200);
  replace(keyFile, `${key.text}\n`);
  await logged(/configuration read again: changed \\"\/fhir\\"/);
  assert.equal(await status('/fhir/Patient'), 200);
});

test('the start command follows its config file', async (t) => {
  const { folder, file, text } = await createSetup(t);
  const run = startCli(['--log-format', 'json'], { cwd: folder, signal: t.signal });
  const [, url = ''] = await run.outMatches(/ready on (\S+)/);
  assert.equal((await fetch(`${url}/fhir/Patient`)).status, 200);
  replace(file, text({ routes: 'none' }));
  await run.errMatches(/the old one stays: routes /);
  const access = { readOnly: true };
  replace(file, text({ routes: [{ ...JSON.parse(text()).routes[0], access }] }));
  await run.errMatches(/configuration read again/);
  assert.equal((await fetch(`${url}/fhir/Patient`, { method: 'POST', body: '{}' })).status, 403);
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 143);
});
