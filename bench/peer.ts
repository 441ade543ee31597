/** What is measured: a peer, how it is started, how its version is known. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Running } from './processes.ts';

/** What a peer is started against. */
export interface PeerContext {
  /** Origin of the upstream. */
  upstream: string;
  /** Token endpoint, for the peer that has a use for one. */
  tokenEndpoint: string;
  /** For configuration and logs. */
  folder: string;
}

/** A peer at work. */
export interface RunningPeer {
  /** Its FHIR base. */
  base: string;
  /** Undefined for the upstream itself. */
  running: Running | undefined;
  /** Whether the client must send the token itself, because nothing on the way adds it. */
  clientSendsToken: boolean;
}

/** What a client sends itself where nothing on the way adds it. */
export const TOKEN = { authorization: 'Bearer bench' };

/** Something between a client and a FHIR server that adds the Authorization field. */
export interface Peer {
  name: string;
  /** Undefined when this machine does not have it. */
  version: string | undefined;
  /** What the reader must know to judge it. */
  note: string;
  start(context: PeerContext): Promise<RunningPeer>;
}

/** Name of the row that everything is compared with. */
export const OURS = 'fhir-auth-proxy';
/** Name of the row without a proxy. */
export const DIRECT = 'no proxy';

/** Version of a package below bench/; undefined when it is not installed. */
export function packageVersion(name: string): string | undefined {
  try {
    const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** First version number that a command prints; undefined when it cannot be run. */
export function commandVersion(command: string, ...args: string[]): string | undefined {
  try {
    // nginx prints its version to stderr.
    const text = execFileSync('/bin/sh', ['-c', '"$@" 2>&1', 'sh', command, ...args], {
      encoding: 'utf8',
    });
    return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}
