/** Judges the output of `npm audit --json` on standard input; the argument is npm's exit code. */
import { text } from 'node:stream/consumers';

import { judgeAudit } from './audit-verdict.ts';

const { kind, says } = judgeAudit(await text(process.stdin), Number(process.argv[2]));
console.log(`${kind}: ${says}`);
if (kind === 'failed') process.exitCode = 1;
