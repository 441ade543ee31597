/** One attempt to send a job's request to the upstream; ends when the answer does, or the client leaves. */
import type { Readable } from 'node:stream';

import type { AccessToken } from '../base/contracts.ts';
import { createAnswer, type Answer } from './answer.ts';
import type { Flow } from './body-writer.ts';
import type { Dispatch } from './dispatch.ts';
import type { ForwardJob } from './job.ts';
import type { LinkRewriter } from './links.ts';
import { buildRequestFields, type AcceptedCodings } from './request-fields.ts';
import { readFields } from './response-fields.ts';

/** What is sent. */
export interface AttemptRequest {
  body: Readable | Buffer | null;
  /** Token to send, or undefined for an open path. */
  token: AccessToken | undefined;
  /** Rewrites absolute URLs of the answer, or undefined when nothing is rewritten. */
  links: LinkRewriter | undefined;
  /** Content codings to ask for. */
  codings: AcceptedCodings;
  /** See {@link RequestFieldOptions.via}. */
  via: string | undefined;
  /** Milliseconds for the head of the final response. */
  headMs: number;
}

/** How the attempt ended; exactly one of the two is called, unless the client left. */
export interface AttemptEnd {
  /** The answer has arrived whole; `answer.end` sends what is left of it. */
  answered(answer: Answer): void;
  /** The connection failed, before, within or after the head of the answer. */
  failed(failure: Error, answer: Answer): void;
}

/** Most fields of a response; each costs more than its bytes wherever it is kept or shown. */
const MOST_FIELDS = 256;

function failureWith(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** Sends the request over the pool. */
export function sendAttempt(
  pool: Dispatch,
  job: ForwardJob,
  { body, token, links, codings, via, headMs }: AttemptRequest,
  end: AttemptEnd,
): void {
  const { exchange, response } = job;
  const flow = createFlow();
  let settled = false;
  const answer = createAnswer(job, {
    token,
    links,
    flow,
    broken(failure) {
      // While the upstream is still sending, the abort comes back as its error.
      if (settled) end.failed(failure, answer);
      else flow.abort(failure);
    },
  });

  // It closes once, so "on" will do, which costs less than "once".
  response.on('close', () => {
    if (settled || response.writableFinished) return;
    exchange.outcome = 'client-gone';
    flow.abort(new Error('the client left'));
  });
  const settle = (): void => {
    settled = true;
    exchange.requestBytes = job.body.receivedBytes();
  };

  const headers = buildRequestFields(job.request.rawHeaders, {
    authorization: token === undefined ? undefined : `Bearer ${token.value}`,
    codings,
    via,
  });
  if (exchange.wire !== undefined) exchange.wire.sent = headers;

  pool.dispatch(
    {
      path: job.target,
      // OpenEMR answers 404 to HEAD; Node drops the body of the answer by itself.
      method: exchange.method === 'HEAD' ? 'GET' : exchange.method,
      headers,
      body,
    },
    {
      onConnect(abort) {
        flow.abort = abort;
        exchange.timings.sentMs = job.elapsedMs();
        if (response.destroyed) abort(new Error('the client left'));
      },
      onHeaders(status, fields, resume, phrase, own) {
        if (status < 200) {
          // Each of them starts the connection's own clock for the head anew.
          if (job.elapsedMs() - (exchange.timings.sentMs ?? 0) > headMs) {
            flow.abort(failureWith('UND_ERR_HEADERS_TIMEOUT', 'no final response within its time'));
          }
          return true;
        }
        if (fields.length > 2 * MOST_FIELDS) {
          flow.abort(failureWith('UND_ERR_HEADERS_OVERFLOW', `more than ${MOST_FIELDS} fields`));
          return true;
        }
        flow.restart = resume;
        exchange.timings.upstreamMs = job.elapsedMs();
        answer.start(status, readFields(fields), phrase, own);
        return !flow.paused;
      },
      onData(chunk) {
        answer.push(chunk);
        return !flow.paused;
      },
      onComplete() {
        settle();
        end.answered(answer);
      },
      onError(failure) {
        settle();
        if (exchange.outcome !== 'client-gone') end.failed(failure, answer);
      },
    },
  );
}

/** The flow of one answer from the upstream. */
interface AttemptFlow extends Flow {
  paused: boolean;
  /** Lets the upstream's data come again. */
  restart(): void;
  /** Breaks the request off; does nothing before it is sent. */
  abort(reason: Error): void;
}

function createFlow(): AttemptFlow {
  return {
    paused: false,
    pause() {
      this.paused = true;
    },
    resume() {
      if (!this.paused) return;
      this.paused = false;
      this.restart();
    },
    restart() {},
    abort() {},
  };
}
