/**
 * The upstream's answer on its way to the client. What has arrived whole when its head is read,
 * which most answers have, is sent in one piece; the others are streamed. Failing answers are held
 * up to 64 KiB, so that a 401 can be cured unseen and a failure explained.
 */
import type { AccessToken } from '../contracts.ts';
import type { UpstreamError } from '../errors.ts';
import { mayRewrite, sendAnswerHead, type AnswerHead } from './answer-head.ts';
import { createBodyWriter, type BodyWriter, type Flow } from './body-writer.ts';
import type { Explanation, ForwardJob } from './job.ts';
import type { LinkRewriter } from './links.ts';
import { cleanReasonPhrase, findField, type RawFields } from './response-fields.ts';

/** Most bytes of a failing answer that are held back before its head is sent. */
const MOST_HELD_BYTES = 65_536;

/** An answer in progress. */
export interface Answer {
  /** The head has arrived. */
  start(status: number, fields: RawFields, phrase: string | undefined): void;
  /** Throws UpstreamError when the head turns out not to be HTTP. */
  push(chunk: Buffer): void;
  /** The upstream has sent everything: sends what is held, or ends what was streamed. */
  end(): void;
  /** Status of the answer; 0 before its head. */
  status(): number;
  /** The held body as text, or undefined when the answer is being streamed. */
  held(): string | undefined;
}

/** What an answer needs besides its exchange. */
export interface AnswerOptions {
  /** The token that was sent, for the explanation of a failure. */
  token: AccessToken | undefined;
  /** Rewrites absolute URLs, or undefined when nothing is rewritten. */
  links: LinkRewriter | undefined;
  flow: Flow;
}

/** The answer to one attempt to send a job's request. */
export function createAnswer(job: ForwardJob, options: AnswerOptions): Answer {
  const { exchange, response } = job;
  const head: AnswerHead = { status: 0, fields: [], phrase: undefined };
  let writer: BodyWriter | undefined;
  let held: Buffer[] = [];
  let heldBytes = 0;

  const stream = (): void => {
    writer = startStream(job, head, options);
    for (const chunk of held) writer.write(chunk);
    held = [];
  };

  const streamUnlessSent = (): void => {
    if (writer !== undefined || response.headersSent || response.destroyed) return;
    try {
      stream();
    } catch (error) {
      options.flow.abort(error as UpstreamError);
    }
  };

  return {
    start(status, fields, phrase) {
      head.status = status;
      head.fields = fields;
      head.phrase = cleanReasonPhrase(phrase);
      exchange.status = status;
      // Runs once everything that came together with the head has been read.
      if (status < 400) queueMicrotask(streamUnlessSent);
    },
    push(chunk) {
      if (writer !== undefined) {
        writer.write(chunk);
        return;
      }
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes > MOST_HELD_BYTES) stream();
    },
    end() {
      if (writer !== undefined) {
        writer.end();
        return;
      }
      const body = held.length === 1 ? held[0]! : Buffer.concat(held);
      if (head.status < 400) sendWhole(job, head, options.links, body);
      else void explainAndSend(job, head, options, body);
    },
    status: () => head.status,
    held: () => (writer === undefined ? Buffer.concat(held).toString('latin1') : undefined),
  };
}

function startStream(
  job: ForwardJob,
  head: AnswerHead,
  { links, flow }: AnswerOptions,
): BodyWriter {
  const rewriter =
    links !== undefined && mayRewrite(head.fields) ? links.start(job.proxyBase) : undefined;
  sendAnswerHead(job, head, links, { changes: rewriter !== undefined });
  return createBodyWriter(job.response, job.exchange, rewriter, flow);
}

async function explainAndSend(
  job: ForwardJob,
  head: AnswerHead,
  { token, links }: AnswerOptions,
  body: Buffer,
): Promise<void> {
  const { status, fields } = head;
  const contentType = findField(fields, 'content-type');
  const explanation = await job.explain({ status, fields, contentType, body, token });
  if (job.response.destroyed) return;
  job.exchange.hints = explanation.hints;
  const { body: replacement, ...rest } = explanation;
  const replaces = body.length === 0 && replacement !== undefined;
  sendWhole(job, head, links, body, replaces ? explanation : rest);
}

/** @param explanation with a body of its own: in place of the upstream's */
function sendWhole(
  job: ForwardJob,
  head: AnswerHead,
  links: LinkRewriter | undefined,
  body: Buffer,
  explanation?: Explanation,
): void {
  const { exchange, response } = job;
  const rewritten =
    links !== undefined && mayRewrite(head.fields) ? links.rewriteBody(body, job.proxyBase) : body;
  const content = explanation?.body?.content ?? rewritten;
  try {
    const changes = content !== body;
    sendAnswerHead(job, head, links, { changes, length: content.length, explanation });
  } catch (error) {
    job.fail(error as UpstreamError);
    return;
  }
  exchange.responseBytes += content.length;
  exchange.wire?.bodies?.response(content);
  if (exchange.outcome === 'pending') exchange.outcome = 'forwarded';
  response.end(content);
}
