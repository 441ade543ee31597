/** From evidence to explanation: which catalogue entries fit, how surely, and what decided. */
import type { Certainty, Hint } from '../base/contracts.ts';
import { type Answer, describeAnswer, fitsSign, processAnswer } from './answer.ts';
import { isOtherServer } from './catalogue/circumstances.ts';
import type { CatalogueEntry, Found } from './catalogue/entry.ts';
import { CATALOGUE, findEntry } from './catalogue/index.ts';
import type { Evidence } from './evidence.ts';
import { detach, excerptOf } from './excerpt.ts';
import { examineOurselves } from './self-examination.ts';

/** Most hints for one failure. */
const MAX_HINTS = 3;

/** How an entry was recognised; the smaller the surer. */
const RANK = {
  network: 0,
  log: 1,
  answer: 2,
  lastResort: 3,
  ourselves: 4,
  circumstances: 5,
  likelyLastResort: 6,
  doubtedLog: 7,
} as const;

interface Candidate {
  rank: number;
  position: number;
  companion: boolean;
  hint: Hint;
}

/**
 * Explains a failure: at most three hints, the surest first; none when nothing fits. A log line or
 * an unambiguous answer makes a hint `certain`; then only such likely ones stay that tell something
 * else. Pure, and quick enough to be called for every failed exchange.
 */
export function explain(evidence: Evidence): Hint[] {
  const answer = processAnswer(evidence);
  const candidates = new Map<string, Candidate>();
  const other = isOtherServer(evidence, answer);
  for (const [position, entry] of CATALOGUE.entries()) {
    if (evidence.stage !== undefined && !entry.stages.includes(evidence.stage)) continue;
    if (entry.applies?.(evidence, answer) === false) continue;
    const found = recognise(entry, evidence, answer);
    // What is true of OpenEMR only is no guess to make about another server.
    const isGuess = found?.hint.certainty === 'likely' && entry.versions !== 'any server';
    if (found !== undefined && !(other && isGuess)) {
      candidates.set(entry.id, { ...found, position, companion: entry.companion === true });
    }
  }
  for (const candidate of wrongOnOurSide(evidence, answer)) {
    const known = candidates.get(candidate.hint.id);
    if (known === undefined || known.rank > candidate.rank) {
      candidates.set(candidate.hint.id, candidate);
    }
  }
  return choose([...candidates.values()]);
}

function choose(candidates: Candidate[]): Hint[] {
  candidates.sort((a, b) => a.rank - b.rank || a.position - b.position);
  const best = candidates[0]?.rank ?? 0;
  return candidates
    .filter(({ rank, companion }) => {
      if (best < RANK.lastResort) return rank < RANK.lastResort || companion;
      return rank < RANK.doubtedLog || rank === best;
    })
    .slice(0, MAX_HINTS)
    .map(({ hint }) => hint);
}

type Recognition = Pick<Candidate, 'rank' | 'hint'>;

function recognise(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Recognition | undefined {
  const byCode = recogniseByCode(entry, evidence, answer);
  if (byCode !== undefined) return byCode;
  const logged = recogniseByLog(entry, evidence, answer);
  if (logged !== undefined && logged.rank < RANK.doubtedLog) return logged;
  return (
    recogniseByAnswer(entry, evidence, answer) ??
    recogniseByCircumstances(entry, evidence, answer) ??
    logged
  );
}

function recogniseByCode(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Recognition | undefined {
  const { nodeCode, proxyCode } = evidence;
  if (proxyCode !== undefined && entry.proxyCodes?.includes(proxyCode) === true) {
    const hint = buildHint(entry, 'certain', `the proxy's own check: ${proxyCode}`, {
      evidence,
      answer,
    });
    return { rank: RANK.network, hint };
  }
  const code = entry.nodeCodes?.find(
    (each) => each === nodeCode || (each.endsWith('*') && nodeCode?.startsWith(each.slice(0, -1))),
  );
  if (code === undefined || nodeCode === undefined) return undefined;
  return {
    rank: code.endsWith('*') ? RANK.lastResort : RANK.network,
    hint: buildHint(entry, 'certain', `connection error ${nodeCode}`, { evidence, answer }),
  };
}

function recogniseByLog(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Recognition | undefined {
  for (const pattern of entry.log ?? []) {
    for (const logEntry of evidence.logEntries) {
      const match = pattern.exec(logEntry.text);
      if (match === null) continue;
      // A message of these levels reports what goes on, not what went wrong.
      if (entry.lastResort === true && (logEntry.level === 'debug' || logEntry.level === 'info')) {
        continue;
      }
      const agrees = agreesWithAnswer(entry, answer);
      const certain = agrees && evidence.logAmbiguous !== true;
      const hint = buildHint(
        entry,
        certain ? 'certain' : 'likely',
        `error log: ${excerptOf(logEntry, match)}`,
        { evidence, answer, match },
      );
      if (!agrees) return { rank: RANK.doubtedLog, hint };
      if (!certain) return { rank: rankOf(entry, 'likely'), hint };
      return { rank: entry.lastResort === true ? RANK.lastResort : RANK.log, hint };
    }
  }
  return undefined;
}

function recogniseByAnswer(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Recognition | undefined {
  for (const sign of entry.answers ?? []) {
    if (sign.proves === undefined) continue;
    const fit = fitsSign(answer, sign);
    if (fit === undefined) continue;
    const found = { evidence, answer, ...(fit === true ? {} : { match: fit }) };
    const hint = buildHint(entry, sign.proves, describeAnswer(answer), found);
    return { rank: rankOf(entry, sign.proves), hint };
  }
  return undefined;
}

function recogniseByCircumstances(
  entry: CatalogueEntry,
  evidence: Evidence,
  answer: Answer,
): Recognition | undefined {
  const circumstance = entry.circumstances?.(evidence, answer);
  if (circumstance === undefined) return undefined;
  const { certainty, says } =
    typeof circumstance === 'string'
      ? { certainty: 'likely' as const, says: circumstance }
      : circumstance;
  return {
    rank: rankOf(entry, certainty),
    hint: buildHint(entry, certainty, says, { evidence, answer }),
  };
}

function rankOf({ lastResort = false }: CatalogueEntry, certainty: Certainty): number {
  if (certainty === 'certain') return lastResort ? RANK.lastResort : RANK.answer;
  return lastResort ? RANK.likelyLastResort : RANK.circumstances;
}

/** Whether the answer is unknown, or one that goes with the entry. */
function agreesWithAnswer(entry: CatalogueEntry, answer: Answer): boolean {
  if (answer.status === undefined || entry.answers === undefined) return true;
  return entry.answers.some((sign) => fitsSign(answer, sign) !== undefined);
}

/** Hints for what the proxy finds wrong with its own token request, when that is what was refused. */
function wrongOnOurSide(evidence: Evidence, answer: Answer): Candidate[] {
  if (evidence.stage !== 'token' || answer.status === undefined) return [];
  const candidates: Candidate[] = [];
  for (const { verdict, hintId, says, subject } of examineOurselves(evidence)) {
    const entry = hintId === undefined ? undefined : findEntry(hintId);
    if (verdict !== 'wrong' || entry === undefined) continue;
    const concernsScopes = subject.startsWith('scope');
    if (concernsScopes !== (answer.error === 'invalid_scope') || answer.status < 400) continue;
    if (
      !concernsScopes &&
      answer.error !== 'invalid_client' &&
      answer.error !== 'invalid_request'
    ) {
      continue;
    }
    candidates.push({
      rank: RANK.ourselves,
      position: candidates.length,
      companion: true,
      hint: buildHint(entry, 'likely', `examined on our side: ${says}`, { evidence, answer }),
    });
  }
  return candidates;
}

function buildHint(
  entry: CatalogueEntry,
  certainty: Certainty,
  evidence: string,
  found: Found,
): Hint {
  const { id, title, cause, fix } = entry;
  const specified = Object.entries(entry.specify?.(found) ?? {});
  const own = Object.fromEntries(specified.map(([name, text]) => [name, detach(text)]));
  return { id, certainty, title, cause, fix, ...own, evidence: detach(evidence) };
}
