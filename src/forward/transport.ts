/**
 * The pass that talks to the upstream, and its rules about sending again: a refused token is cured by at most
 * one replay (replay.ts), a stale connection under an idempotent request by at most one more attempt.
 */
import type { AccessToken, Logger, TokenSource } from '../base/contracts.ts';
import type { Answer } from './answer.ts';
import { sendAttempt, type AttemptRequest } from './attempt.ts';
import type { Dispatch } from './dispatch.ts';
import { buildUpstreamError, isConnectionTerminated } from './failure.ts';
import type { ForwardJob } from './job.ts';
import type { LinkRewriter } from './links.ts';
import { refusesToken, type ReplayRule } from './replay.ts';

/** What a transport is made of; all of one route. */
export interface TransportOptions {
  /** Pool of connections to the upstream. */
  pool: Dispatch;
  /** Sends what needs no token in the pool's place, or undefined when its answers are not reused. */
  openAnswers: Dispatch | undefined;
  /** Origin of the upstream, for messages. */
  origin: string;
  tokens: TokenSource;
  replayRule: ReplayRule;
  /** The rewriter of absolute URLs, or undefined when answers pass as they are. */
  links: () => LinkRewriter | undefined;
  logger: Logger;
  /** What this gateway adds to the `Via` field of every request. */
  via: string | undefined;
  /** Milliseconds for the head of the final response, interim ones or not. */
  headMs: number;
}

/** Sends the request of a job to the upstream and its answer to the client. */
export type Transport = (job: ForwardJob) => void;

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Why a request was sent before this attempt. */
interface History {
  replayed?: true;
  reconnected?: true;
}

/** Creates the transport of one route. */
export function createTransport(options: TransportOptions): Transport {
  const { pool, openAnswers, origin, links, replayRule, via, headMs } = options;
  // On one machine a coding saves nothing: the upstream would compress what this proxy decompresses.
  const readable = LOOPBACK.test(new URL(origin).hostname) ? 'identity' : 'readable';

  const send = (
    job: ForwardJob,
    { body, token }: Pick<AttemptRequest, 'body' | 'token'>,
    history: History,
  ): void => {
    const again = (next: Pick<AttemptRequest, 'body' | 'token'>, why: History): void =>
      send(job, next, { ...history, ...why });
    const rewriter = links();
    const reuse = token === undefined ? openAnswers : undefined;
    const codings = rewriter === undefined ? 'any' : readable;
    sendAttempt(
      reuse ?? pool,
      job,
      // An answer for every client has no coding, which not every client takes.
      {
        body,
        token,
        links: rewriter,
        codings: reuse === undefined ? codings : 'identity',
        via,
        headMs,
      },
      {
        answered(answer) {
          const refused = isRefused(answer) ? token : undefined;
          if (history.replayed) replayRule.note(job.interaction, refused === undefined);
          else if (refused !== undefined && mayReplay(job, answer, refused, options)) {
            replay(job, answer, refused, options, again).catch((failure: Error) =>
              fail(job, failure, origin),
            );
            return;
          }
          job.body.forget();
          answer.end();
        },
        failed(failure, answer) {
          const giveUp = (): void => {
            job.body.forget();
            fail(job, failure, origin);
          };
          if (!history.reconnected && mayReconnect(job, failure, answer)) {
            reconnect(job, token, again, giveUp).catch(giveUp);
          } else giveUp();
        },
      },
    );
  };

  return (job) => {
    if (!job.response.destroyed) send(job, { body: job.body.first(), token: job.token }, {});
  };
}

/** Only a 400 is looked into: the others tell by their status. */
function isRefused(answer: Answer): boolean {
  const status = answer.status();
  return refusesToken(status, status === 400 ? (answer.held() ?? '') : '');
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/**
 * Whether a connection that ended without an answer is worth a second attempt: OpenEMR's Apache
 * closes one after 5 s or 100 requests, perhaps just as it is used again. Only for what is idempotent
 * (RFC 9110 section 9.2.2), such as a search by POST; not for a write with a condition, whose second
 * attempt would fail by the success of the first.
 */
function mayReconnect(job: ForwardJob, failure: Error, answer: Answer): boolean {
  const { exchange, interaction, request, body, response } = job;
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  const isConditional = match !== undefined || noneMatch !== undefined;
  return (
    (interaction.writes ? IDEMPOTENT.has(exchange.method) && !isConditional : true) &&
    answer.status() === 0 &&
    body.canRepeat() &&
    !response.destroyed &&
    isConnectionTerminated(failure)
  );
}

async function reconnect(
  job: ForwardJob,
  token: AccessToken | undefined,
  again: (next: Pick<AttemptRequest, 'body' | 'token'>, why: History) => void,
  giveUp: () => void,
): Promise<void> {
  const body = await job.body.again();
  if (body === undefined) giveUp();
  else if (!job.response.destroyed) again({ body, token }, { reconnected: true });
}

function fail({ response, fail: failWith }: ForwardJob, failure: Error, origin: string): void {
  if (response.destroyed || response.writableEnded) return;
  failWith(buildUpstreamError(failure, origin));
}

function mayReplay(
  job: ForwardJob,
  answer: Answer,
  token: AccessToken,
  { replayRule, logger, tokens }: TransportOptions,
): boolean {
  const body = answer.held();
  if (body === undefined) return false;
  if (replayRule.judge({ token, interaction: job.interaction, body }) !== undefined) return false;
  if (job.body.canRepeat()) return true;
  logger.warn(
    { code: 'replay-too-large', interaction: job.interaction.label },
    'the upstream refused the token; the request body is too large to be sent again, so the answer is passed on and the token renewed for the next call',
  );
  tokens.replace(token).catch(() => {});
  return false;
}

async function replay(
  job: ForwardJob,
  answer: Answer,
  refused: AccessToken,
  { tokens }: TransportOptions,
  again: (next: Pick<AttemptRequest, 'body' | 'token'>, why: History) => void,
): Promise<void> {
  try {
    const [token, body] = await Promise.all([tokens.replace(refused), job.body.again()]);
    if (job.response.destroyed) return;
    if (body !== undefined && token.generation !== refused.generation) {
      job.exchange.replayed = true;
      job.exchange.tokenOrigin = 'fresh';
      again({ body, token }, { replayed: true });
      return;
    }
  } catch {
    // No newer token: the 401 is the best answer there is, and the token source has logged why.
  }
  job.body.forget();
  answer.end();
}
