/**
 * Answers of the open paths (`/metadata`, `/.well-known/…`) reused for a while: OpenEMR takes 160 ms
 * for its CapabilityStatement, and every client asks for it first. Nothing else is ever reused: it
 * is health data. Stands between the attempts and the pool, as a dispatcher of its own.
 */
import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';

import type { AnswerHandler, Dispatch } from './dispatch.ts';
import { findField } from './response-fields.ts';
import { fetchAnswer, replayAnswer, type StoredAnswer } from './stored-answer.ts';

/** What the reuse of answers needs. */
export interface OpenAnswersOptions {
  /** Sends what is not in hand. */
  pool: Dispatch;
  /** Longest reuse of an answer in milliseconds; a shorter `max-age` of the answer itself counts. */
  lifetimeMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Most answers kept for a route; clients ask for two or three. */
const MOST_ANSWERS = 16;
/**
 * What PHP's session module and Symfony's session listener put on every answer of OpenEMR, whatever
 * it is: it says nothing about the answer. Any other `Cache-Control` is obeyed.
 */
const AUTOMATIC: ReadonlySet<string> = new Set([
  'no-store, no-cache, must-revalidate',
  'max-age=0, private, must-revalidate, no-cache, private',
]);
/** What an answer may vary by: it is part of the key, or does not reach the upstream from here. */
const HARMLESS_VARIANCE: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'cookie',
  'origin',
]);
/** Fields of a request whose answer is for that request alone. */
const OWN_ANSWER: ReadonlySet<string> = new Set([
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
]);
const FRESH_PLEASE = /(?:^|[\s,])(?:no-cache|no-store|max-age=0)(?:$|[\s,])/i;

/**
 * Creates the dispatcher of requests without a token. Requests for the same answer at the same time
 * make one request; a request that says `Cache-Control: no-cache` gets a fresh answer, one with the
 * parameter `refresh` also empties the whole store.
 */
export function createOpenAnswers({ pool, lifetimeMs, now }: OpenAnswersOptions): Dispatch {
  const answers = new LRUCache<string, StoredAnswer, Dispatcher.DispatchOptions>({
    max: MOST_ANSWERS,
    ttl: lifetimeMs,
    perf: { now },
    ttlResolution: 0,
    // Emptying the store must not fail those who wait for an answer.
    ignoreFetchAbort: true,
    fetchMethod: async (_key, _stale, { context, options }) => {
      const answer = await fetchAnswer(pool, context, now);
      // A ttl of 0 would mean for ever.
      options.ttl = Math.max(1, reuseMs(answer, lifetimeMs));
      return answer;
    },
  });

  const answer = async (
    key: string,
    request: Dispatcher.DispatchOptions,
    handler: AnswerHandler,
  ): Promise<void> => {
    const reused = answers.has(key);
    let stored: StoredAnswer | undefined;
    try {
      stored = await answers.fetch(key, { context: request });
    } catch (error) {
      replayAnswer(error as Error, handler);
      return;
    }
    // What must not be reused has served those who asked at the same time.
    if (stored !== undefined && reuseMs(stored, lifetimeMs) === 0) answers.delete(key);
    if (stored?.body === undefined) pool.dispatch(request, handler);
    else if (reused) replayAnswer(stored, handler, ageOf(stored, now()), OWN_CACHE_STATUS);
    else replayAnswer(stored, handler);
  };

  return {
    dispatch(request, handler) {
      const fields = request.headers as readonly string[];
      const key = `${request.path}\n${valuesOf(fields, 'accept').join()}`;
      if (hasParameter(request.path, 'refresh')) answers.clear();
      else if (request.method === 'GET' && request.body === null && mayReuse(fields)) {
        answer(key, request, handler).catch((error: Error) => handler.onError(error));
        return true;
      }
      answers.delete(key);
      return pool.dispatch(request, handler);
    },
  };
}

/** `Cache-Status` (RFC 9211) of an answer that was in hand, names and values in turn. */
const OWN_CACHE_STATUS: readonly string[] = ['Cache-Status', 'fhir-auth-proxy; hit'];

/** How long an answer may be reused, in milliseconds. */
function reuseMs({ status, fields, body }: StoredAnswer, lifetimeMs: number): number {
  if (status !== 200 || body === undefined) return 0;
  const variance = (findField(fields, 'vary') ?? '').toLowerCase().split(',');
  if (variance.some((name) => name.trim() !== '' && !HARMLESS_VARIANCE.has(name.trim()))) return 0;
  const control = findField(fields, 'cache-control')?.toLowerCase();
  if (control === undefined || AUTOMATIC.has(control)) return lifetimeMs;
  if (/(?:^|[\s,])(?:no-store|no-cache|private)(?:$|[\s,=])/.test(control)) return 0;
  const age =
    /(?:^|[\s,])s-maxage="?(\d+)/.exec(control) ?? /(?:^|[\s,])max-age="?(\d+)/.exec(control);
  return age === null ? lifetimeMs : Math.min(Number(age[1]) * 1000, lifetimeMs);
}

/** `Age` (RFC 9111 section 5.1). */
function ageOf({ receivedAtMs }: StoredAnswer, now: number): string[] {
  const seconds = Math.max(0, Math.floor((now - receivedAtMs) / 1000));
  return ['Age', String(seconds)];
}

function mayReuse(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!.toLowerCase();
    if (OWN_ANSWER.has(name)) return false;
    if ((name === 'cache-control' || name === 'pragma') && FRESH_PLEASE.test(fields[i + 1]!)) {
      return false;
    }
  }
  return true;
}

/** Every value: a second field counts as much as the first, to the upstream too. */
function valuesOf(fields: readonly string[], lowerName: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]!.toLowerCase() === lowerName);
}

function hasParameter(target: string, name: string): boolean {
  const query = target.split('?', 2)[1];
  return query !== undefined && new URLSearchParams(query).has(name);
}
