/**
 * Loaded into the built program with `--import` by soak and fuzz, so that the product needs no code
 * for it: answers over the IPC channel what the process holds, after a garbage collection.
 */
import { setImmediate as turn } from 'node:timers/promises';

process.on('message', () => void tellHoldings());
// The program must end as if nobody listened.
process.channel?.unref();

async function tellHoldings() {
  // Twice with a turn between: what the first round finalizes, the second one frees.
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapUsed, external, rss, handles: process.getActiveResourcesInfo() });
}
