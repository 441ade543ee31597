/** Peers that are programs of the system, each configured as its manual shows, with keep-alive. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { nginxHead } from './nginx.ts';
import { commandVersion, type Peer, type PeerContext, type RunningPeer, TOKEN } from './peer.ts';
import { freePort, startProcess } from './processes.ts';
import { FHIR } from './upstream.ts';

/** @param rewritesLinks whether sub_filter puts its own base in the place of the upstream's */
export function nginx({ rewritesLinks }: { rewritesLinks: boolean }): Peer {
  const name = rewritesLinks ? 'nginx, sub_filter' : 'nginx';
  const filter = (upstream: string, port: number) => `
      sub_filter_types *; sub_filter_once off; proxy_set_header Accept-Encoding "";
      sub_filter '${escaped(upstream + FHIR)}' '${escaped(`http://127.0.0.1:${port}${FHIR}`)}';
      sub_filter '${upstream}${FHIR}' 'http://127.0.0.1:${port}${FHIR}';`;
  return systemPeer(name, commandVersion('nginx', '-v'), {
    note: rewritesLinks ? 'static token, links rewritten' : 'static token',
    command: ({ upstream, folder }, port) => {
      const own = join(folder, rewritesLinks ? 'nginx-sub-filter' : 'nginx-peer');
      const config = `${own}.conf`;
      writeFileSync(
        config,
        `${nginxHead(own, 'auto')}
http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000; client_max_body_size 0;
  client_body_temp_path ${own}-body; proxy_temp_path ${own}-temp;
  upstream fhir { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://fhir; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Authorization "Bearer bench";
      ${rewritesLinks ? filter(upstream, port) : ''}
    }
  }
}
`,
      );
      return ['nginx', '-c', config, '-e', `${own}.log`];
    },
  });
}

export function haproxy(): Peer {
  return systemPeer('haproxy', commandVersion('haproxy', '-v'), {
    note: 'static token',
    command: ({ upstream, folder }, port) => {
      const config = join(folder, 'haproxy.cfg');
      writeFileSync(
        config,
        `global
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend fhir
backend fhir
  http-request set-header Authorization "Bearer bench"
  server upstream ${new URL(upstream).host}
`,
      );
      return ['haproxy', '-f', config, '-db'];
    },
  });
}

export function caddy(): Peer {
  return systemPeer('caddy', commandVersion('caddy', 'version'), {
    note: 'static token',
    env: (folder) => ({ XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
    command: ({ upstream, folder }, port) => {
      const config = join(folder, 'Caddyfile');
      writeFileSync(
        config,
        `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy ${new URL(upstream).host} {
    header_up Authorization "Bearer bench"
  }
}
`,
      );
      return ['caddy', 'run', '--config', config, '--adapter', 'caddyfile'];
    },
  });
}

export function kubectl(): Peer {
  return systemPeer('kubectl proxy', commandVersion('kubectl', 'version', '--client'), {
    // It sends the token of its kubeconfig over TLS only.
    note: 'adds no token without TLS, the client sends it',
    clientSendsToken: true,
    command: ({ upstream, folder }, port) => {
      const config = join(folder, 'kubeconfig.json');
      const kubeconfig = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'bench',
        clusters: [{ name: 'bench', cluster: { server: upstream } }],
        users: [{ name: 'bench', user: { token: 'bench' } }],
        contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
      };
      writeFileSync(config, JSON.stringify(kubeconfig));
      return ['kubectl', 'proxy', `--kubeconfig=${config}`, `--port=${port}`, '--api-prefix=/'];
    },
  });
}

export function mitmdump(): Peer {
  return systemPeer('mitmdump', commandVersion('mitmdump', '--version'), {
    note: 'static token, bodies streamed',
    env: (folder) => ({ HOME: folder }),
    command: ({ upstream }, port) => [
      'mitmdump',
      '--quiet',
      '--mode',
      `reverse:${upstream}`,
      '--listen-host',
      '127.0.0.1',
      '--listen-port',
      String(port),
      '--set',
      'modify_headers=/~q/Authorization/Bearer bench',
      '--set',
      'stream_large_bodies=64k',
    ],
  });
}

interface SystemPeer {
  note: string;
  clientSendsToken?: boolean;
  command(context: PeerContext, port: number): string[];
  env?(folder: string): NodeJS.ProcessEnv;
}

function systemPeer(
  name: string,
  version: string | undefined,
  { note, command, env, clientSendsToken = false }: SystemPeer,
): Peer {
  return {
    name,
    version,
    note,
    async start(context): Promise<RunningPeer> {
      const port = await freePort();
      const [program = '', ...args] = command(context, port);
      const base = `http://127.0.0.1:${port}${FHIR}`;
      const running = await startProcess(program, args, {
        logFile: join(context.folder, `${name.replaceAll(/\W+/g, '-')}.log`),
        wanted: `${base}/Patient/1`,
        env: env?.(context.folder) ?? {},
        fields: clientSendsToken ? TOKEN : {},
      });
      return { base, running, clientSendsToken };
    },
  };
}

function escaped(text: string): string {
  return text.replaceAll('/', '\\/');
}
