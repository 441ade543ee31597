/** From the start of the process to the first answer of its readiness path, and memory when idle. */
import { setTimeout as delay } from 'node:timers/promises';

import { startOurs } from '../ours.ts';
import type { PeerContext } from '../peer.ts';
import { readUsage } from '../processes.ts';
import { median } from './throughput.ts';

export interface StartupResult {
  /** Median. */
  readyMs: number;
  /** Resident set two seconds after that; undefined when not known. */
  idleMiB: number | undefined;
  starts: number;
}

const IDLE_MS = 2000;

export async function measureStartup(starts: number, context: PeerContext): Promise<StartupResult> {
  const times: number[] = [];
  let idleMiB: number | undefined;
  for (let i = 0; i < starts; i += 1) {
    const { running } = await startOurs(context, { readyPath: '/_proxy/readyz' });
    if (running === undefined) continue;
    times.push(running.readyMs);
    if (i === starts - 1) {
      await delay(IDLE_MS);
      idleMiB = readUsage(running)?.rssMiB;
    }
    await running.stop();
  }
  return { readyMs: median(times), idleMiB, starts };
}
