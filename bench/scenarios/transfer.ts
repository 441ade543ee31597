/** One long body down and one up: rate, and how far the memory of the proxy grows. */
import { once } from 'node:events';
import http from 'node:http';

import { type Peer, type RunningPeer, TOKEN } from '../peer.ts';
import { readUsage, resetPeak } from '../processes.ts';
import { median } from './throughput.ts';

/** Medians over the rounds. */
export interface TransferResult {
  peer: Peer;
  mibPerSecond: number;
  /** Highest resident set during the transfer less the one before it, the worst round; undefined when not known. */
  growthMiB: number | undefined;
  error?: string;
}

const MIB = 2 ** 20;

export async function measureTransfer(
  kind: 'down' | 'up',
  bytes: number,
  peers: readonly (RunningPeer & { peer: Peer })[],
  rounds: number,
): Promise<TransferResult[]> {
  const results = new Map<
    Peer,
    { rates: number[]; growth: (number | undefined)[]; error?: string }
  >(peers.map(({ peer }) => [peer, { rates: [], growth: [] }]));
  // The first round warms this client up and is not counted.
  for (let round = -1; round < rounds; round += 1) {
    for (const { peer, base, running, clientSendsToken } of peers) {
      const result = results.get(peer);
      if (result === undefined || result.error !== undefined) continue;
      const before = running && readUsage(running);
      if (running) resetPeak(running);
      const startedAt = performance.now();
      try {
        await (kind === 'down'
          ? download(`${base}/Binary/1`, bytes, clientSendsToken)
          : upload(`${base}/Binary`, bytes, clientSendsToken));
      } catch (error) {
        result.error = (error as Error).message;
        continue;
      }
      if (round < 0) continue;
      result.rates.push(bytes / MIB / ((performance.now() - startedAt) / 1000));
      const after = running && readUsage(running);
      result.growth.push(before && after && after.peakMiB - before.rssMiB);
    }
  }
  return [...results].map(([peer, { rates, growth, error }]) => ({
    peer,
    mibPerSecond: rates.length === 0 ? Number.NaN : median(rates),
    growthMiB: growth.some((one) => one === undefined)
      ? undefined
      : Math.max(...growth.map((one) => one ?? 0)),
    ...(error === undefined ? {} : { error }),
  }));
}

/** A rewritten link changes the length, so only a body that is clearly too short is an error. */
async function download(url: string, bytes: number, withToken: boolean): Promise<void> {
  const request = http.get(url, { agent: false, headers: withToken ? TOKEN : {} });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  let received = 0;
  response.on('data', (chunk: Buffer) => (received += chunk.length));
  await once(response, 'end');
  if (!response.complete || received < bytes * 0.9)
    throw new Error(`${received} of ${bytes} bytes`);
}

async function upload(url: string, bytes: number, withToken: boolean): Promise<void> {
  const request = http.request(url, {
    method: 'POST',
    agent: false,
    headers: {
      ...(withToken ? TOKEN : {}),
      'content-type': 'application/fhir+ndjson',
      'content-length': bytes,
    },
  });
  const answered = once(request, 'response');
  const block = Buffer.alloc(64 * 1024, 'x');
  for (let left = bytes; left > 0; left -= block.length) {
    if (!request.write(left < block.length ? block.subarray(0, left) : block)) {
      await Promise.race([once(request, 'drain'), answered]);
    }
  }
  request.end();
  const [response] = (await answered) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  if (response.statusCode !== 201) throw new Error(`status ${response.statusCode}`);
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as { bytes?: number };
  if (answer.bytes !== bytes) throw new Error(`${answer.bytes} of ${bytes} bytes arrived`);
}
