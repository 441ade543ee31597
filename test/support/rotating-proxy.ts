/** A client of the sandbox with a config file on disk, and the proxy of it, for tests of key rotation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { followConfig } from '../../src/commands/follow-config.ts';
import { runProgram } from '../../src/commands/program.ts';
import { parseJsonWithComments } from '../../src/config/json.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createProxyServer } from '../../src/server.ts';
import { findFreePort } from './free-port.ts';
import { rs384Key } from './keys.ts';
import { createTestRuntime } from './runtime.ts';

/** The key that the client begins with. */
export const OLD = rs384Key('old');
/** Another one. */
export const NEXT = rs384Key('next');

/** A client of the sandbox, registered by address or with its keys, and its config file. */
export async function startRotatable(
  t: TestContext,
  {
    version = '7.0.3',
    inline = false,
    paths = ['/fhir'],
  }: { version?: '7.0.3' | '8.0.0'; inline?: boolean; paths?: readonly string[] } = {},
) {
  const cwd = mkdtempSync(join(tmpdir(), 'rotate-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'private.jwk.json'), OLD.text, { mode: 0o600 });
  const sandbox = await startSandbox({
    version,
    client: { id: 'client', key: OLD.privateJwk },
  });
  t.after(() => sandbox.close());
  const port = await findFreePort();
  const jwksUri = `http://127.0.0.1:${port}/.well-known/jwks.json`;
  if (!inline) sandbox.state.clients.get('client')!.jwksUri = jwksUri;
  const configFile = join(cwd, 'proxy.config.json');
  const writeRoute = (path: string) => `    {
      "path": "${path}",
      "upstream": "${sandbox.fhirBase}",
      "client": {
        "id": "client", // registered by hand
        "key": "private.jwk.json",
        "scopes": ["system/Patient.read"]
      }
    }`;
  writeFileSync(
    configFile,
    `{
  // beside the sandbox
  "listen": { "port": ${port} },
  "routes": [
${paths.map(writeRoute).join(',\n')}
  ]
}
`,
  );
  const rotateWith = async (environment: Record<string, string>, ...argv: string[]) => {
    const runtime = createTestRuntime({ cwd, environment });
    const code = await runProgram(['key', 'rotate', ...argv], runtime, { version: '0' });
    return { code, out: runtime.out(), err: runtime.err() };
  };
  const rotate = (...argv: string[]) => rotateWith({}, ...argv);
  const text = () => readFileSync(configFile, 'utf8');
  const client = (index = 0) =>
    (
      parseJsonWithComments(text(), configFile).value as {
        routes: { client: { key: string; publish?: string[] } }[];
      }
    ).routes[index]!.client;
  return {
    cwd,
    sandbox,
    jwksUri,
    configFile,
    rotate,
    rotateWith,
    text,
    client,
    url: `http://127.0.0.1:${port}`,
  };
}

/** The proxy of the config file, following it as `start` does. */
export async function runFollowing(t: TestContext, cwd: string) {
  const load = () => loadConfig({ cwd });
  const loaded = await load();
  const logger = createLogger({ format: 'json', level: 'silent', stream: 2 });
  const proxy = await createProxyServer(loaded.config, { logger });
  const followed = followConfig({ loaded, load, proxy, logger });
  t.after(async () => {
    await followed.close();
    await proxy.destroy();
  });
  await proxy.listen();
}
