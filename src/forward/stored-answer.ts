/** An upstream answer held in memory: how it is fetched, and how it is given to a dispatch handler again. */
import type { Dispatcher } from 'undici';

import type { RawFields } from './response-fields.ts';

/** An answer as it came from the upstream. */
export interface StoredAnswer {
  status: number;
  fields: RawFields;
  /** Reason phrase. */
  phrase: string | undefined;
  /** Undefined when it is longer than {@link MOST_STORED_BYTES}. */
  body: Buffer | undefined;
  /** Milliseconds since the epoch. */
  receivedAtMs: number;
}

/** Longest body that is kept; OpenEMR's CapabilityStatement has about 100 kB. */
export const MOST_STORED_BYTES = 1_048_576;

/** Sends a request and collects its answer; rejects with what undici reports. */
export function fetchAnswer(
  pool: Pick<Dispatcher, 'dispatch'>,
  request: Dispatcher.DispatchOptions,
  now: () => number,
): Promise<StoredAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let head: Omit<StoredAnswer, 'body'> | undefined;
    pool.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart(controller, status, _fields, phrase) {
        const fields = copyFields((controller.rawHeaders ?? []) as RawFields);
        if (status >= 200) head = { status, fields, phrase, receivedAtMs: now() };
      },
      onResponseData(controller, chunk) {
        length += chunk.length;
        if (length <= MOST_STORED_BYTES) chunks.push(chunk);
        else {
          resolve({ ...head!, body: undefined });
          controller.abort(new Error('the answer is too long to be kept'));
        }
      },
      onResponseEnd: () => resolve({ ...head!, body: Buffer.concat(chunks) }),
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

/** Lets a handler see a stored answer, or the failure to get one, as if it came from the upstream now. */
export function replayAnswer(
  answer: StoredAnswer | Error,
  handler: Dispatcher.DispatchHandler,
  added: readonly string[] = [],
): void {
  let aborted: Error | undefined;
  const controller: Dispatcher.DispatchController = {
    rawHeaders: answer instanceof Error ? [] : ([...answer.fields, ...added] as string[]),
    get aborted() {
      return aborted !== undefined;
    },
    get reason() {
      return aborted ?? null;
    },
    paused: false,
    abort(reason) {
      aborted ??= reason;
    },
    pause: () => {},
    resume: () => {},
  };
  handler.onRequestStart?.(controller, {});
  if (aborted === undefined && !(answer instanceof Error)) {
    handler.onResponseStart?.(controller, answer.status, {}, answer.phrase);
    if (answer.body !== undefined && answer.body.length > 0 && aborted === undefined) {
      handler.onResponseData?.(controller, answer.body);
    }
  }
  const failure = answer instanceof Error ? answer : aborted;
  if (failure === undefined) handler.onResponseEnd?.(controller, {});
  else handler.onResponseError?.(controller, failure);
}

/** Text in place of views of a socket's read buffer, which must not be kept alive. */
function copyFields(fields: RawFields): string[] {
  return fields.map((field) => (typeof field === 'string' ? field : field.toString('latin1')));
}
