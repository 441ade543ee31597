/**
 * `npm run fuzz`: hostile bytes on raw sockets against the built program and a sandbox. What must
 * hold stands in fuzz/run.ts and fuzz/judge.ts. A failure names the seed and the batch that repeat it.
 */
import { parseArgs } from 'node:util';

import { type FuzzReport, runFuzz } from './fuzz/run.ts';
import { parseNumberFlag } from './program/number-flag.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    first: { type: 'string', default: '0' },
    inputs: { type: 'string' },
  },
});
const seed = parseNumberFlag('seed', values.seed, 0);
const report = await runFuzz({
  seed,
  first: parseNumberFlag('first', values.first, 0),
  seconds: parseNumberFlag('seconds', values.seconds, 1),
  ...(values.inputs === undefined ? {} : { inputs: parseNumberFlag('inputs', values.inputs, 1) }),
  onProgress({ inputs, reached }) {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${inputs} inputs, ${reached} reached the upstream `);
  },
});
if (process.stderr.isTTY) process.stderr.write('\n');
console.log(formatReport(report));
process.exit(report.failures.length > 0 ? 1 : 0);

function formatReport(report: FuzzReport): string {
  const { inputs, reached, operators, statuses, refusals, failures, failedBatch } = report;
  const lines = [
    `fuzz, seed ${seed}`,
    `inputs                 ${inputs}`,
    `reached the upstream   ${reached}`,
    `bytes looked at        ${report.bytesLookedAt}`,
    ...table('answers by status (0: closed without one)', statuses),
    ...table('refusals by code', refusals),
    ...table('inputs by operator', operators),
  ];
  if (failedBatch !== undefined) {
    const [first, end] = failedBatch;
    lines.push(
      '',
      `FAILED; to repeat: npm run fuzz -- --seed ${seed} --first ${first} --inputs ${end - first}`,
    );
    lines.push(...failures.slice(0, 5));
  } else if (failures.length > 0) lines.push('', 'FAILED', ...failures.slice(0, 5));
  return lines.join('\n');
}

function table(title: string, counts: ReadonlyMap<string | number, number>): string[] {
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  return [
    title,
    ...rows.map(([name, count]) => `  ${String(name).padEnd(36)} ${String(count).padStart(8)}`),
  ];
}
