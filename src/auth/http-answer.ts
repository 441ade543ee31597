/** One small HTTP request and its whole answer, bounded in time and size. Redirects are not followed. */
import { type Dispatcher, request } from 'undici';

import type { Clock } from '../base/contracts.ts';
import type { TokenEndpointAnswer } from '../base/errors.ts';
import { redactSecrets } from './redact-secrets.ts';

/** Most bytes of an answer that are read: 1 MiB. */
const LONGEST_ANSWER_BYTES = 1_048_576;
/** Most characters of an answer that an error keeps: 64 KiB. */
const LONGEST_KEPT_BODY = 65_536;

/** What to ask. */
export interface AnswerRequest {
  url: string;
  method: 'GET' | 'POST' | 'DELETE';
  headers: Record<string, string>;
  body?: string;
  /**
   * Sends the request to the origin of `url`: an `Agent`, or one with interceptors. A `Pool` or
   * `Client` is bound to one origin and would send it there, whatever the URL says.
   */
  dispatcher: Dispatcher;
  /** Milliseconds for the whole exchange, 1 or more. */
  timeoutMs: number;
  /** Ends the exchange early; the promise then rejects with its reason. */
  signal?: AbortSignal | undefined;
  clock: Clock;
}

/** An answer of any status. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly location: string | undefined;
  /** From `Retry-After` (RFC 9110 section 10.2.3), 0 or more; undefined when there is none. */
  readonly retryAfterSeconds: number | undefined;
  /** Body as UTF-8, at most 1 MiB. */
  readonly body: string;
  /** Whether the body was longer than that. */
  readonly truncated: boolean;
  /** Server clock minus ours, see {@link clockDifference}. */
  readonly clockDifferenceMs: number | undefined;
}

/**
 * Sends one request and reads the answer. Rejects with what undici or Node reports when no complete
 * answer comes, with code `ANSWER_TIMEOUT` when time is up.
 */
export async function requestAnswer(options: AnswerRequest): Promise<HttpAnswer> {
  const { url, method, headers, body, dispatcher, timeoutMs, signal, clock } = options;
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(answerTimeout(timeoutMs)), timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const sentAtMs = clock.now();
    const response = await request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': 'fhir-auth-proxy', ...headers },
      body: body ?? null,
      signal: controller.signal,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const receivedAtMs = clock.now();
    const { text, truncated } = await readBody(response.body);
    const field = (name: string) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    return {
      status: response.statusCode,
      contentType: field('content-type'),
      location: field('location'),
      retryAfterSeconds: parseRetryAfter(field('retry-after'), clock),
      body: text,
      truncated,
      clockDifferenceMs: clockDifference(field('date'), sentAtMs, receivedAtMs),
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** The parts of an answer that an error keeps for hints: cut, and without tokens. */
export function keptAnswer(answer: HttpAnswer): TokenEndpointAnswer {
  const { status, body, contentType, clockDifferenceMs } = answer;
  return {
    status,
    body: redactSecrets(body.slice(0, LONGEST_KEPT_BODY)),
    ...(contentType === undefined ? {} : { contentType }),
    ...(clockDifferenceMs === undefined ? {} : { clockDifferenceMs }),
  };
}

/**
 * Server clock minus ours in milliseconds: the least difference that explains the `Date` field, which
 * has whole seconds and was written somewhere between sending and receiving. 0 when none is needed.
 */
export function clockDifference(
  date: string | undefined,
  sentAtMs: number,
  receivedAtMs: number,
): number | undefined {
  const stamp = Date.parse(date ?? '');
  if (Number.isNaN(stamp)) return undefined;
  if (stamp > receivedAtMs) return stamp - receivedAtMs;
  const latest = stamp + 999;
  return latest < sentAtMs ? latest - sentAtMs : 0;
}

/** `Retry-After` as seconds from now; it is seconds or a date (RFC 9110 section 10.2.3). */
function parseRetryAfter(value: string | undefined, clock: Clock): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value);
  // `Date.parse` takes nearly anything; an HTTP date starts with the name of a day.
  const date = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - clock.now()) / 1000));
}

async function readBody(
  body: AsyncIterable<Buffer>,
): Promise<{ text: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  let truncated = false;
  for await (const chunk of body) {
    const room = LONGEST_ANSWER_BYTES - length;
    chunks.push(chunk.subarray(0, room));
    length += chunk.length;
    truncated = chunk.length > room;
    // Leaving the loop destroys the stream, and with it the connection.
    if (truncated) break;
  }
  return { text: new TextDecoder().decode(Buffer.concat(chunks)), truncated };
}

function answerTimeout(timeoutMs: number): Error {
  return Object.assign(new Error(`no complete answer within ${timeoutMs} ms`), {
    code: 'ANSWER_TIMEOUT',
  });
}
