/**
 * The upstream's answer on its way to the client. What has arrived whole when its head is read,
 * which most answers have, is sent in one piece; the others are streamed. Failing answers are held
 * up to 64 KiB, so that a 401 can be cured unseen and a failure explained; so are web pages in the
 * place of FHIR, which pass as they came but count as a failure.
 */
import type { AccessToken } from '../base/contracts.ts';
import { planBody, sendAnswerHead, type AnswerHead } from './answer-head.ts';
import { createBodyWriter, type BodyWriter, type Flow } from './body-writer.ts';
import { decodeWhole } from './content-coding.ts';
import { endAnswer } from './early-answer.ts';
import type { Explanation, ForwardJob } from './job.ts';
import type { LinkRewriter } from './links.ts';
import { cleanReasonPhrase, findField, type RawFields } from './response-fields.ts';
import { isUnaskedPage } from './web-page.ts';

/** Most bytes of a failing answer that are held back before its head is sent. */
const MOST_HELD_BYTES = 65_536;
/** Most bytes that a body may become when it is decoded at once; a larger one is streamed. */
const MOST_DECODED_BYTES = 1_048_576;

/** An answer in progress. */
export interface Answer {
  /** The head has arrived. */
  start(
    status: number,
    fields: RawFields,
    phrase: string | undefined,
    own: readonly string[] | undefined,
  ): void;
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
  /** The flow from the upstream. */
  flow: Flow;
  /** Called when the answer cannot be passed on: its head is not HTTP, its body cannot be decoded. */
  broken: (failure: Error) => void;
}

/** The answer to one attempt to send a job's request. */
export function createAnswer(job: ForwardJob, options: AnswerOptions): Answer {
  const { exchange, response } = job;
  const head: AnswerHead = { status: 0, fields: [], phrase: undefined, own: [] };
  let writer: BodyWriter | undefined;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let failing = false;

  const stream = (): void => {
    if (response.headersSent || response.destroyed) return;
    writer = startStream(job, head, options);
    for (const chunk of held) writer?.write(chunk);
    held = [];
  };

  return {
    start(status, fields, phrase, own = []) {
      head.status = status;
      head.fields = fields;
      head.own = own;
      head.phrase = cleanReasonPhrase(phrase);
      exchange.status = status;
      const { accept } = job.request.headers;
      const page = isUnaskedPage(status, fields, { interaction: job.interaction, accept });
      if (page) exchange.outcome = 'not-fhir';
      failing = status >= 400 || page;
      // Runs once everything that came together with the head has been read.
      if (!failing) queueMicrotask(() => writer ?? stream());
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
      if (!failing) sendWhole(job, head, options, body);
      else explainAndSend(job, head, options, body).catch(options.broken);
    },
    status: () => head.status,
    held: () =>
      writer === undefined ? readable(head, Buffer.concat(held)).toString('latin1') : undefined,
  };
}

/** Sends the head; the body follows as it comes. Undefined when the head could not be sent. */
function startStream(
  job: ForwardJob,
  head: AnswerHead,
  { links, flow, broken }: AnswerOptions,
  explanation?: Explanation,
): BodyWriter | undefined {
  const { rewrites, coding } = planBody(head, links !== undefined);
  const decoded = rewrites && coding !== undefined;
  try {
    sendAnswerHead(job, head, links, { changes: rewrites, decoded, explanation });
  } catch (error) {
    broken(error as Error);
    return undefined;
  }
  const changes = rewrites ? { coding, rewriter: links?.start(job.proxyBase) } : {};
  return createBodyWriter(job, changes, flow, broken);
}

async function explainAndSend(
  job: ForwardJob,
  head: AnswerHead,
  options: AnswerOptions,
  body: Buffer,
): Promise<void> {
  const { status, fields } = head;
  const explanation = await job.explain({
    status,
    fields,
    contentType: findField(fields, 'content-type'),
    body: readable(head, body),
    token: options.token,
  });
  if (job.response.destroyed) return;
  job.exchange.hints = explanation.hints;
  const { body: replacement, ...rest } = explanation;
  const replaces = body.length === 0 && replacement !== undefined;
  sendWhole(job, head, options, body, replaces ? explanation : rest);
}

/** @param explanation with a body of its own: in place of the upstream's */
function sendWhole(
  job: ForwardJob,
  head: AnswerHead,
  options: AnswerOptions,
  body: Buffer,
  explanation?: Explanation,
): void {
  const { links, broken } = options;
  const { rewrites, coding } = planBody(head, links !== undefined);
  const decodes = rewrites && coding !== undefined && body.length > 0;
  const decoded = decodes ? decodeWhole(body, coding, MOST_DECODED_BYTES) : body;
  if (decoded === undefined) {
    // Too large to be decoded at once, or broken, which the decoder tells.
    const writer = startStream(job, head, options, explanation);
    writer?.write(body);
    writer?.end();
    return;
  }
  const rewritten =
    rewrites && links !== undefined ? links.rewriteBody(decoded, job.proxyBase) : decoded;
  const content = explanation?.body?.content ?? rewritten;
  const changes = content !== body;
  try {
    const { length } = content;
    sendAnswerHead(job, head, links, { changes, decoded: decodes, length, explanation });
  } catch (error) {
    broken(error as Error);
    return;
  }
  const { exchange, response } = job;
  exchange.responseBytes += content.length;
  exchange.wire?.bodies?.response(content);
  if (exchange.outcome === 'pending') exchange.outcome = 'forwarded';
  endAnswer(response, content);
}

/** A body without its content coding, where that can be undone. */
function readable(head: AnswerHead, body: Buffer): Buffer {
  const { coding } = planBody(head, false);
  if (coding === undefined || body.length === 0) return body;
  return decodeWhole(body, coding, MOST_DECODED_BYTES) ?? body;
}
