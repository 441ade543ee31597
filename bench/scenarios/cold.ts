/** Many requests at once on a proxy that has no token yet: how many token requests that makes. */
import http from 'node:http';

import { startOurs } from '../ours.ts';
import { startNodeUpstream } from '../upstream.ts';

export interface ColdResult {
  requests: number;
  answered200: number;
  /** Other statuses and errors with how often each came. */
  others: Record<string, number>;
  tokenRequests: number;
  seconds: number;
}

/** OpenEMR takes about that long for a token. */
const TOKEN_DELAY_MS = 300;

export async function measureCold(
  requests: number,
  folder: string,
  documents: Parameters<typeof startNodeUpstream>[0],
): Promise<ColdResult> {
  const upstream = await startNodeUpstream(documents, {
    tokenLifeSeconds: 60,
    tokenDelayMs: TOKEN_DELAY_MS,
  });
  const { base, running } = await startOurs(
    {
      upstream: upstream.origin,
      tokenEndpoint: `${upstream.origin}/oauth2/default/token`,
      folder,
    },
    { connections: requests + 100, readyPath: '/_proxy/livez' },
  );
  try {
    const before = await upstream.stats();
    const startedAt = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: requests }, () => ask(`${base}/Patient/1`)),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const others: Record<string, number> = {};
    for (const outcome of outcomes) {
      if (outcome !== '200') others[outcome] = (others[outcome] ?? 0) + 1;
    }
    const after = await upstream.stats();
    return {
      requests,
      answered200: outcomes.filter((outcome) => outcome === '200').length,
      others,
      tokenRequests: after.tokenRequests.length - before.tokenRequests.length,
      seconds,
    };
  } finally {
    await running?.stop();
    await upstream.stop();
  }
}

/** Status, or the code of the error. */
async function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    http
      .get(url, { agent: false, timeout: 60_000 }, (response) => {
        response.resume();
        response.on('end', () => resolve(String(response.statusCode)));
        response.on('error', () => resolve('cut off'));
      })
      .on('timeout', function (this: http.ClientRequest) {
        this.destroy(new Error('timeout'));
      })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
