/**
 * The upstream's answer on its way to the client. Answers below 400 are streamed from the first
 * byte; failing ones are held up to 64 KiB, so that a 401 can be cured unseen and a failure explained.
 */
import type { AccessToken } from '../contracts.ts';
import type { UpstreamError } from '../errors.ts';
import { sendAnswerHead, type AnswerHead } from './answer-head.ts';
import { createBodyWriter, type BodyWriter, type Flow } from './body-writer.ts';
import type { Explanation, ForwardJob } from './job.ts';
import type { LinkRewriter } from './links.ts';
import { cleanReasonPhrase, findField, type RawFields } from './response-fields.ts';

/** Most bytes of a failing answer that are held back before its head is sent. */
const MOST_HELD_BYTES = 65_536;

/** An answer in progress. */
export interface Answer {
  /** The head has arrived; throws UpstreamError when it is not HTTP. */
  start(status: number, fields: RawFields, phrase: string | undefined): void;
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
export function createAnswer(job: ForwardJob, { token, links, flow }: AnswerOptions): Answer {
  const head: AnswerHead = { status: 0, fields: [], phrase: undefined };
  let writer: BodyWriter | undefined;
  let held: Buffer[] = [];
  let heldBytes = 0;

  const open = (explanation?: Explanation): BodyWriter => {
    const rewriter = sendAnswerHead(job, head, links, explanation);
    writer = createBodyWriter(job.response, job.exchange, rewriter, flow);
    return writer;
  };

  const explainAndEnd = async (body: Buffer): Promise<void> => {
    const { status, fields } = head;
    const contentType = findField(fields, 'content-type');
    const explanation = await job.explain({ status, fields, contentType, body, token });
    if (job.response.destroyed) return;
    job.exchange.hints = explanation.hints;
    try {
      const { body: replacement, ...rest } = explanation;
      const replaced = body.length === 0 && replacement !== undefined;
      const opened = open(replaced ? explanation : rest);
      opened.write(replaced ? replacement.content : body);
      opened.end();
    } catch (error) {
      job.fail(error as UpstreamError);
    }
  };

  return {
    start(status, fields, phrase) {
      head.status = status;
      head.fields = fields;
      head.phrase = cleanReasonPhrase(phrase);
      job.exchange.status = status;
      if (status < 400) open();
    },
    push(chunk) {
      if (writer !== undefined) {
        writer.write(chunk);
        return;
      }
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes <= MOST_HELD_BYTES) return;
      const opened = open();
      for (const kept of held) opened.write(kept);
      held = [];
    },
    end() {
      if (writer === undefined) void explainAndEnd(Buffer.concat(held));
      else writer.end();
    },
    status: () => head.status,
    held: () => (writer === undefined ? Buffer.concat(held).toString('latin1') : undefined),
  };
}
