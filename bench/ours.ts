/** The proxy as built, with everything switched on that is on by default and its log in a file. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { OURS, type Peer, type PeerContext, type RunningPeer } from './peer.ts';
import { freePort, startProcess } from './processes.ts';
import { FHIR } from './upstream.ts';

const root = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const CLI = root('dist/cli.js');
/** Generated once: making an RSA key takes longer than starting the proxy. */
let privateKey: string | undefined;

export function ours(): Peer {
  const { version } = JSON.parse(readFileSync(root('package.json'), 'utf8')) as { version: string };
  return {
    name: OURS,
    version: existsSync(CLI) ? version : undefined,
    note: 'token from the token endpoint, links rewritten, log to a file',
    start: startOurs,
  };
}

/**
 * @param connections most client connections at one time; the scenario that opens 10,000 needs
 *   more than the default
 * @param readyPath what must answer 200 before the proxy counts as started
 * @param nodeArgs for Node, such as `--cpu-prof`
 * @param cli another build of the proxy, to compare with
 */
export async function startOurs(
  { upstream, tokenEndpoint, folder }: PeerContext,
  {
    connections = 2048,
    readyPath = '/fhir/Patient/1',
    nodeArgs = [],
    cli = CLI,
  }: {
    connections?: number;
    readyPath?: string;
    nodeArgs?: readonly string[];
    cli?: string | undefined;
  } = {},
): Promise<RunningPeer> {
  const port = await freePort();
  const own = mkdtempSync(join(folder, 'ours-'));
  privateKey ??= generateKeyPairSync('rsa', {
    modulusLength: 3072,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
  writeFileSync(join(own, 'private.pem'), privateKey, { mode: 0o600 });
  const config = {
    listen: { host: '127.0.0.1', port, limits: { connections } },
    routes: [
      {
        path: '/fhir',
        upstream: upstream + FHIR,
        tokenEndpoint,
        client: {
          id: 'bench',
          key: 'private.pem',
          scopes: ['system/Patient.read', 'system/Observation.read'],
        },
      },
    ],
  };
  writeFileSync(join(own, 'proxy.config.json'), JSON.stringify(config));
  const running = await startProcess(
    process.execPath,
    [...nodeArgs, cli, 'start', '--config', join(own, 'proxy.config.json')],
    { logFile: join(own, 'proxy.log'), wanted: `http://127.0.0.1:${port}${readyPath}` },
  );
  return { base: `http://127.0.0.1:${port}/fhir`, running, clientSendsToken: false };
}
