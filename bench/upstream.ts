/** The server behind every peer: nginx where the system has it, and a Node server with a token endpoint. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundle, patient, writeNdjson } from './documents.ts';
import { nginxHead } from './nginx.ts';
import { freePort, type Running, startProcess } from './processes.ts';

/** Path of the FHIR base on every upstream. */
export const FHIR = '/apis/default/fhir';

/** What the Node server counted. */
export interface Counters {
  /** Requests below the FHIR base. */
  requests: number;
  /** Of these, answered with 401. */
  refused: number;
  /** Bytes of request bodies that arrived. */
  received: number;
  /** Times in milliseconds since the epoch. */
  tokenRequests: { atMs: number; answeredAtMs: number }[];
}

/** The Node server. */
export interface NodeUpstream {
  origin: string;
  stats(): Promise<Counters>;
  stop(): Promise<void>;
}

/** The documents, on disk. */
export interface Documents {
  folder: string;
  ndjsonBytes: number;
}

interface TokenRules {
  tokenLifeSeconds: number;
  tokenDelayMs: number;
}

const TYPES: Readonly<Record<string, string>> = {
  '/Patient/1': 'application/fhir+json',
  '/Observation': 'application/fhir+json',
  '/Binary/1': 'application/fhir+ndjson',
};

/** Writes the documents as a server at `origin` would send them. */
export function writeDocuments(folder: string, origin: string, ndjsonBytes: number): Documents {
  const root = join(folder, FHIR);
  mkdirSync(join(root, 'Patient'), { recursive: true });
  mkdirSync(join(root, 'Binary'), { recursive: true });
  writeFileSync(join(root, 'Patient/1'), patient());
  writeFileSync(join(root, 'Observation'), bundle(origin + FHIR));
  writeNdjson(join(root, 'Binary/1'), origin + FHIR, ndjsonBytes);
  return { folder, ndjsonBytes };
}

/** @param port 0 for a free one */
export async function startNodeUpstream(
  documents: Documents,
  rules: TokenRules,
  port = 0,
): Promise<NodeUpstream> {
  const child = fork(fileURLToPath(new URL('node-upstream.mjs', import.meta.url)), {
    execArgv: [],
  });
  const files = Object.fromEntries(
    Object.entries(TYPES).map(([path, type]) => [
      path,
      { file: join(documents.folder, FHIR, path), type },
    ]),
  );
  child.send({ files, port, ...rules });
  const bound = await message<{ port: number }>(child);
  return {
    origin: `http://127.0.0.1:${bound.port}`,
    async stats() {
      const answer = message<Counters>(child);
      child.send('stats');
      return answer;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** nginx serving the documents to whoever sends a bearer token. */
export async function startNginxUpstream(
  folder: string,
  documents: Documents,
  port: number,
): Promise<Running> {
  const config = join(folder, 'upstream.conf');
  const answer = '{"resourceType":"OperationOutcome"}';
  const capabilities = '{"resourceType":"CapabilityStatement","status":"active"}';
  writeFileSync(
    config,
    `${nginxHead(join(folder, 'upstream'), 1)}
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 60s; keepalive_requests 1000000; open_file_cache max=100;
  client_body_temp_path ${folder}/upstream-body; client_max_body_size 0;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${documents.folder};
    default_type application/fhir+json;
    location = /ready { return 200; }
    location = ${FHIR}/metadata { return 200 '${capabilities}'; }
    location ${FHIR}/ {
      if ($http_authorization !~ "^Bearer .") { return 401; }
      if ($request_method = POST) { return 201 '${answer}'; }
    }
    location ${FHIR}/Binary/ {
      default_type application/fhir+ndjson;
      if ($http_authorization !~ "^Bearer .") { return 401; }
    }
  }
}
`,
  );
  return startProcess('nginx', ['-c', config, '-e', join(folder, 'upstream.log')], {
    logFile: join(folder, 'upstream.log'),
    wanted: `http://127.0.0.1:${port}/ready`,
  });
}

/** A free port for {@link startNginxUpstream}; the documents name it. */
export { freePort };

async function message<T>(child: ChildProcess): Promise<T> {
  return (await once(child, 'message'))[0] as T;
}
