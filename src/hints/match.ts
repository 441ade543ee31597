/** From evidence to explanation: which catalogue entries fit, how surely, and what decided. */
import type { Hint } from '../contracts.ts';
import { type Answer, fitsSign, processAnswer } from './answer.ts';
import type { CatalogueEntry } from './catalogue/entry.ts';
import { CATALOGUE } from './catalogue/index.ts';
import type { Evidence } from './evidence.ts';
import { excerptOf } from './excerpt.ts';

/** Most hints for one failure. */
const MAX_HINTS = 3;

/** How an entry was recognised; the smaller the surer. */
const RANK = {
  network: 0,
  log: 1,
  answer: 2,
  lastResort: 3,
  circumstances: 4,
  doubtedLog: 5,
} as const;

interface Candidate {
  rank: number;
  position: number;
  hint: Hint;
}

/**
 * Explains a failure: at most three hints, the surest first; none when nothing fits. Pure, and quick
 * enough to be called for every failed exchange.
 */
export function explain(evidence: Evidence): Hint[] {
  const answer = processAnswer(evidence);
  const candidates: Candidate[] = [];
  for (const [position, entry] of CATALOGUE.entries()) {
    if (evidence.stage !== undefined && !entry.stages.includes(evidence.stage)) continue;
    const candidate = recognise(entry, evidence, answer);
    if (candidate !== undefined) candidates.push({ ...candidate, position });
  }
  candidates.sort((a, b) => a.rank - b.rank || a.position - b.position);
  const best = candidates[0]?.rank ?? 0;
  return candidates
    .filter(({ rank }) => best >= RANK.lastResort || rank < RANK.lastResort)
    .slice(0, MAX_HINTS)
    .map(({ hint }) => hint);
}

function recognise(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Omit<Candidate, 'position'> | undefined {
  const sure = entry.lastResort === true ? RANK.lastResort : undefined;
  const { nodeCode } = evidence;
  if (nodeCode !== undefined && entry.nodeCodes?.includes(nodeCode) === true) {
    const hint = buildHint(entry, 'certain', `connection error ${nodeCode}`, { evidence, answer });
    return { rank: sure ?? RANK.network, hint };
  }
  for (const pattern of entry.log ?? []) {
    for (const logEntry of evidence.logEntries) {
      const match = pattern.exec(logEntry.text);
      if (match === null) continue;
      const agrees = agreesWithAnswer(entry, answer);
      const said = `error log: ${excerptOf(logEntry, match)}`;
      const hint = buildHint(entry, agrees ? 'certain' : 'likely', said, {
        evidence,
        answer,
        match,
      });
      return { rank: agrees ? (sure ?? RANK.log) : RANK.doubtedLog, hint };
    }
  }
  return recogniseByAnswer(entry, evidence, answer);
}

function recogniseByAnswer(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Omit<Candidate, 'position'> | undefined {
  for (const sign of entry.answers ?? []) {
    if (sign.proves === undefined) continue;
    const fit = fitsSign(answer, sign);
    if (fit === undefined) continue;
    const certain = sign.proves === 'certain';
    const found = { evidence, answer, ...(fit === true ? {} : { match: fit }) };
    const hint = buildHint(entry, sign.proves, describeAnswer(answer), found);
    if (!certain) return { rank: RANK.circumstances, hint };
    return { rank: entry.lastResort === true ? RANK.lastResort : RANK.answer, hint };
  }
  const said = entry.circumstances?.(evidence, answer);
  if (said === undefined) return undefined;
  return {
    rank: RANK.circumstances,
    hint: buildHint(entry, 'likely', said, { evidence, answer }),
  };
}

/** Whether the answer is unknown, or one that goes with the entry. */
function agreesWithAnswer(entry: CatalogueEntry, answer: Answer): boolean {
  if (answer.status === undefined || entry.answers === undefined) return true;
  return entry.answers.some((sign) => fitsSign(answer, sign) !== undefined);
}

function buildHint(
  entry: CatalogueEntry,
  certainty: Hint['certainty'],
  evidence: string,
  found: Parameters<NonNullable<CatalogueEntry['specify']>>[0],
): Hint {
  const { id, title, cause, fix } = entry;
  return { id, certainty, title, cause, fix, ...entry.specify?.(found), evidence };
}

function describeAnswer(answer: Answer): string {
  const { status, error, hint, message } = answer;
  const said = [error, hint ?? message].filter((part) => part !== undefined && part !== '');
  if (said.length > 0) return `answer ${status}: ${said.join(', ').slice(0, 200)}`;
  return `answer ${status} with ${answer.empty ? 'an empty body' : answer.html ? 'an HTML page' : 'this body'}`;
}
