/** Everything that is measured side by side, in the order of the tables. */
import { fileURLToPath } from 'node:url';

import { ours } from './ours.ts';
import { DIRECT, packageVersion, type Peer } from './peer.ts';
import { freePort, startProcess } from './processes.ts';
import { caddy, haproxy, kubectl, mitmdump, nginx } from './system-peers.ts';
import { FHIR } from './upstream.ts';

export function listPeers(): Peer[] {
  return [
    {
      name: DIRECT,
      version: '',
      note: 'the upstream itself',
      start: async ({ upstream }) => ({
        base: upstream + FHIR,
        running: undefined,
        clientSendsToken: true,
      }),
    },
    ours(),
    nodePeer('undici, bare', 'undici', ['undici.mjs'], "Node's server and undici's pool alone"),
    nodePeer('http-proxy', 'http-proxy', ['http-proxy.mjs', 'http-proxy', 'default-agent']),
    nodePeer(
      'http-proxy, keep-alive',
      'http-proxy',
      ['http-proxy.mjs', 'http-proxy', 'keep-alive'],
      'with a keep-alive agent',
    ),
    nodePeer(
      'http-proxy-3, keep-alive',
      'http-proxy-3',
      ['http-proxy.mjs', 'http-proxy-3', 'keep-alive'],
      'its own stream pass, with a keep-alive agent',
    ),
    nodePeer('http-proxy-middleware', 'http-proxy-middleware', ['http-proxy-middleware.mjs']),
    nodePeer('@fastify/http-proxy', '@fastify/http-proxy', ['fastify-http-proxy.mjs']),
    nginx({ rewritesLinks: false }),
    nginx({ rewritesLinks: true }),
    haproxy(),
    caddy(),
    kubectl(),
    mitmdump(),
  ];
}

/** @param script file below peers/ and its arguments after port and upstream */
function nodePeer(
  name: string,
  packageName: string,
  [script = '', ...args]: readonly string[],
  note = 'defaults',
): Peer {
  return {
    name,
    version: packageVersion(packageName),
    note,
    async start({ upstream, folder }) {
      const port = await freePort();
      const file = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
      const base = `http://127.0.0.1:${port}${FHIR}`;
      const running = await startProcess(
        process.execPath,
        [file, String(port), upstream, ...args],
        {
          logFile: `${folder}/${name.replaceAll(/\W+/g, '-')}.log`,
          wanted: `${base}/Patient/1`,
        },
      );
      return { base, running, clientSendsToken: false };
    },
  };
}
