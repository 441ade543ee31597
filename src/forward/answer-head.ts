/** The head of an answer: its fields for the client, and whether its body will be rewritten. */
import { UpstreamError } from '../base/errors.ts';
import { parseContentCoding, type ContentCoding } from './content-coding.ts';
import { buildEarlyFields } from './early-answer.ts';
import type { Explanation, ForwardJob } from './job.ts';
import { isRewritable, type LinkRewriter } from './links.ts';
import { buildResponseFields, findField, type RawFields } from './response-fields.ts';

/** Head of an upstream answer. */
export interface AnswerHead {
  status: number;
  fields: RawFields;
  /** Reason phrase, if it may be sent on. */
  phrase: string | undefined;
  /** Fields of the proxy's own about this head, names and values in turn. */
  own: readonly string[];
}

/** What is known of the body when the head is sent. */
export interface AnswerBody {
  /** Whether it may differ from the upstream's. */
  changes: boolean;
  /** Whether its content coding was undone. */
  decoded?: boolean;
  /** Its length in bytes when the whole of it is in hand. */
  length?: number;
  /** What is added to a failing answer; with a body of its own, in place of an empty one. */
  explanation?: Explanation | undefined;
}

/**
 * Sends the head to the client.
 *
 * @param links rewrites the fields that hold URLs; undefined leaves them as they are
 * @throws UpstreamError when the status or a field is not HTTP
 */
export function sendAnswerHead(
  job: ForwardJob,
  head: AnswerHead,
  links: LinkRewriter | undefined,
  { changes, decoded = false, length, explanation }: AnswerBody,
): void {
  const replacement = explanation?.body;
  const added = [
    ...job.addedFields,
    ...head.own,
    ...buildEarlyFields(job.response),
    'Server-Timing',
    buildServerTiming(job),
  ];
  if (explanation !== undefined) added.push(...explanation.fields);
  if (replacement !== undefined) added.push('Content-Type', replacement.contentType);
  const withheld: string[] = [];
  const fields = buildResponseFields(
    replacement === undefined ? head.fields : withoutContentType(head.fields),
    {
      rewriteField:
        links === undefined ? undefined : (value) => links.rewriteField(value, job.proxyBase),
      bodyChanges: changes || replacement !== undefined,
      decoded: decoded || replacement !== undefined,
      length: hasContent(head.status) ? length : undefined,
      added,
      withheld,
    },
  );
  const { wire } = job.exchange;
  if (wire !== undefined) {
    wire.withheld = withheld;
    wire.returned = fields;
    wire.added = added;
  }
  try {
    if (head.phrase === undefined) job.response.writeHead(head.status, fields);
    else job.response.writeHead(head.status, head.phrase, fields);
  } catch (cause) {
    throw new UpstreamError(
      'http_protocol_error',
      'the upstream answered with a status or a field that HTTP does not allow',
      { cause },
    );
  }
}

/** RFC 9110 section 8.6: a length is not made up for an answer that has no content by its status. */
function hasContent(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** What is to be done to a body. */
export interface BodyPlan {
  /** Whether the links in it are to be replaced, its coding undone before. */
  rewrites: boolean;
  /** Its content coding, if it has one that can be undone. */
  coding: ContentCoding | undefined;
}

const PASS: BodyPlan = { rewrites: false, coding: undefined };
const REWRITE: BodyPlan = { rewrites: true, coding: undefined };

/**
 * What is to be done to the body behind a head, where links are replaced at all. A part of a body
 * (206) stays as it is, or its `Content-Range` would be wrong.
 */
export function planBody({ status, fields }: AnswerHead, replacesLinks: boolean): BodyPlan {
  const rewrites =
    replacesLinks && status !== 206 && isRewritable(findField(fields, 'content-type'));
  const value = findField(fields, 'content-encoding');
  if (value === undefined || value === 'identity') return rewrites ? REWRITE : PASS;
  const coding = parseContentCoding(value);
  return { rewrites: rewrites && coding !== undefined, coding };
}

/** Value of a `Server-Timing` field: milliseconds of the token, the upstream and this proxy until the head. */
function buildServerTiming(job: ForwardJob): string {
  const now = job.elapsedMs();
  const { tokenMs = 0, upstreamMs = now } = job.exchange.timings;
  const upstream = upstreamMs - tokenMs;
  const replay = job.exchange.replayed ? ', replay' : '';
  return `token;dur=${tenths(tokenMs)}, upstream;dur=${tenths(upstream)}, proxy;dur=${tenths(now - upstream - tokenMs)}${replay}`;
}

/** A number with at most one decimal; `toFixed` takes several times as long. */
function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function withoutContentType(fields: RawFields): RawFields {
  return fields.filter((_, i) => fields[i - (i % 2)]!.toLowerCase() !== 'content-type');
}
