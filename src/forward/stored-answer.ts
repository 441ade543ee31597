/** An upstream answer held in memory: how it is fetched, and how it is given to a handler again. */
import type { Dispatcher } from 'undici';

import type { AnswerHandler, Dispatch } from './dispatch.ts';
import { readFields, type RawFields } from './response-fields.ts';

/** An answer as it came from the upstream. */
export interface StoredAnswer {
  status: number;
  fields: RawFields;
  /** Reason phrase. */
  phrase: string;
  /** Undefined when it is longer than {@link MOST_STORED_BYTES}. */
  body: Buffer | undefined;
  /** Milliseconds since the epoch. */
  receivedAtMs: number;
}

/** Longest body that is kept; OpenEMR's CapabilityStatement has about 100 kB. */
const MOST_STORED_BYTES = 1_048_576;

/** Sends a request and collects its answer; rejects with what undici reports. */
export function fetchAnswer(
  pool: Dispatch,
  request: Dispatcher.DispatchOptions,
  now: () => number,
): Promise<StoredAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let head: Omit<StoredAnswer, 'body'> | undefined;
    let abort: (reason: Error) => void;
    pool.dispatch(request, {
      onConnect(given) {
        abort = given;
      },
      onHeaders(status, fields, _resume, phrase) {
        if (status >= 200)
          head = { status, fields: readFields(fields), phrase, receivedAtMs: now() };
        return true;
      },
      onData(chunk) {
        length += chunk.length;
        if (length <= MOST_STORED_BYTES) chunks.push(chunk);
        else {
          resolve({ ...head!, body: undefined });
          abort(new Error('the answer is too long to be kept'));
        }
        return true;
      },
      onComplete: () => resolve({ ...head!, body: Buffer.concat(chunks) }),
      onError: reject,
    });
  });
}

/** Lets a handler see a stored answer, or the failure to get one, as if it came from the upstream now. */
export function replayAnswer(
  answer: StoredAnswer | Error,
  handler: AnswerHandler,
  added: readonly string[] = [],
  own: readonly string[] = [],
): void {
  let failure = answer instanceof Error ? answer : undefined;
  const aborted = () => failure !== undefined;
  handler.onConnect((reason) => {
    failure ??= reason;
  });
  if (!aborted() && !(answer instanceof Error)) {
    handler.onHeaders(answer.status, [...answer.fields, ...added], () => {}, answer.phrase, own);
    if (answer.body !== undefined && answer.body.length > 0 && !aborted()) {
      // A copy, for a handler may change what it is given.
      handler.onData(Buffer.from(answer.body));
    }
  }
  if (failure === undefined) handler.onComplete();
  else handler.onError(failure);
}
