/** Reads the metrics page of the program. */
import { request } from 'node:http';

import type { World } from '../program/world.ts';

/** What a soak wants to know of it; sums over the routes. */
export interface MetricsFigures {
  inFlight: number;
  clients: number;
  connected: number;
  running: number;
  waiting: number;
  replays: number;
  tokenRequests: number;
  /** Token requests that brought a token, by route. */
  granted(route: string): number;
  /** Requests by interaction. */
  interactions: ReadonlyMap<string, number>;
}

const PREFIX = 'fhir_auth_proxy_';

/** Asks for the page over a connection of its own. */
export async function readMetrics(world: World): Promise<MetricsFigures> {
  const page = await fetchPage(world);
  const samples = [...page.matchAll(/^fhir_auth_proxy_(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = '', labels = '', value]) => ({ name, labels, value: Number(value) }),
  );
  const sum = (name: string, ...labels: readonly string[]): number =>
    samples
      .filter((sample) => sample.name === name && labels.every((it) => sample.labels.includes(it)))
      .reduce((total, { value }) => total + value, 0);
  const interactions = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    const interaction = /interaction="([^"]+)"/.exec(labels)?.[1];
    if (name !== 'requests_total' || interaction === undefined) continue;
    interactions.set(interaction, (interactions.get(interaction) ?? 0) + value);
  }
  return {
    inFlight: sum('requests_in_flight'),
    clients: sum('client_connections'),
    connected: sum('upstream_connections', 'state="connected"'),
    running: sum('upstream_connections', 'state="running"'),
    waiting: sum('upstream_connections', 'state="waiting"'),
    replays: sum('replays_total'),
    tokenRequests: sum('token_requests_total'),
    granted: (route) => sum('token_requests_total', 'outcome="granted"', `route="${route}"`),
    interactions,
  };
}

function fetchPage({ program, apiKey, leaks }: World): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port: program.port,
        host: '127.0.0.1',
        path: '/_proxy/metrics',
        headers: { 'X-API-Key': apiKey },
        agent: false,
      },
      (answer) => {
        const saw = leaks.open('the metrics page');
        let page = '';
        answer.on('data', (chunk: Buffer) => {
          saw(chunk);
          page += chunk.toString();
        });
        answer.on('end', () =>
          page.includes(PREFIX) ? resolve(page) : reject(new Error(`no metrics: ${page}`)),
        );
      },
    );
    asked.on('error', reject).end();
  });
}
