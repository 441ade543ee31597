/**
 * Loaded into the built program with `--import` by soak and fuzz, so that the product needs no code
 * for it: answers over the IPC channel what the process holds, after a garbage collection. An empty
 * message asks for the figures, the path of a file for a heap snapshot in it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapCodeStatistics, writeHeapSnapshot } from 'node:v8';

process.on('message', (file) => void (file === '' ? tellHoldings() : writeSnapshot(file)));
// The program must end as if nobody listened.
process.channel?.unref();

async function tellHoldings() {
  await collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const code = getHeapCodeStatistics();
  process.send?.({
    heapUsed,
    external,
    rss,
    code: code.code_and_metadata_size + code.bytecode_and_metadata_size,
    handles: process.getActiveResourcesInfo(),
  });
}

async function writeSnapshot(file) {
  await collectGarbage();
  process.send?.(writeHeapSnapshot(file));
}

/** Twice with a turn between: what the first round finalizes, the second one frees. */
async function collectGarbage() {
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.();
    await turn();
  }
}
