/**
 * The body of a client's request on its way to the upstream: streamed, and kept up to a bound so
 * that it can be sent a second time when the first attempt met a 401.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

import type { BodySink } from '../base/contracts.ts';
import { type BodyMemory, refuseForMemory } from './body-memory.ts';
import { announcesBody, inviteBody } from './early-answer.ts';

/** Most bytes kept for sending again; longer bodies are streamed but never replayed. */
const MOST_KEPT_BYTES = 1_048_576;

/** A request body that can be sent, and perhaps sent again. */
export interface RequestBody {
  /** For the first attempt: a stream, the whole body, or null when the request has none. */
  first(): Readable | Buffer | null;
  /**
   * For a further attempt: resolves to the whole body once the client has sent it, or to undefined
   * when it is longer than {@link MOST_KEPT_BYTES} or the client left before its end.
   */
  again(): Promise<Buffer | null | undefined>;
  /** Whether `again` can still give a body. */
  canRepeat(): boolean;
  /** No further attempt will come: what was kept for it is let go, and nothing more is kept. */
  forget(): void;
  /** Bytes received from the client so far. */
  receivedBytes(): number;
}

/** A body that is in memory already, because the gate had to look into it. */
export function wholeBody(body: Buffer, watch?: BodySink): RequestBody {
  watch?.request(body);
  return {
    first: () => (body.length === 0 ? null : body),
    again: () => Promise.resolve(body.length === 0 ? null : body),
    canRepeat: () => true,
    forget() {},
    receivedBytes: () => body.length,
  };
}

const NO_BODY: RequestBody = {
  first: () => null,
  again: () => Promise.resolve(null),
  canRepeat: () => true,
  forget() {},
  receivedBytes: () => 0,
};

/**
 * The body of a request whose head has arrived; nothing is read before `first` is called, and no
 * client is told to go on before that.
 *
 * @param response the answer to the request
 * @param memory for what is kept; when there is no room, the body is streamed and cannot be sent again
 * @param watch sees the body as it passes
 */
export function streamedBody(
  response: ServerResponse,
  memory: BodyMemory,
  watch?: BodySink,
): RequestBody {
  const request = response.req;
  if (!announcesBody(request)) return NO_BODY;
  const memoryHeld = memory.open(response);
  let kept: Buffer[] | undefined = [];
  let received = 0;
  let ended = false;
  let settle: (() => void) | undefined;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });

  const outbound = new Readable({
    read: () => request.resume(),
    // undici destroys the stream when the answer comes early; the client's own stream lives on, so
    // that its connection can carry the answer.
    destroy: (error, done) => done(error),
  });
  // Without a listener an early answer would end the process.
  outbound.on('error', () => {});

  const letGo = (): void => {
    kept = undefined;
    memoryHeld.giveBack();
  };
  const start = (): void => {
    inviteBody(response);
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      watch?.request(chunk);
      const fits =
        received <= MOST_KEPT_BYTES && (kept === undefined || memoryHeld.take(chunk.length));
      if (!fits) {
        letGo();
        settle?.();
      }
      kept?.push(chunk);
      if (!outbound.destroyed && !outbound.push(chunk)) request.pause();
    });
    request.once('end', () => {
      ended = true;
      if (!outbound.destroyed) outbound.push(null);
      settle?.();
    });
    request.once('close', () => {
      if (ended) return;
      letGo();
      if (!outbound.destroyed)
        outbound.destroy(new Error('the client left before its body was whole'));
      settle?.();
    });
  };

  return {
    first() {
      start();
      return outbound;
    },
    async again() {
      if (kept !== undefined && !ended) {
        request.resume();
        await settled;
      }
      return kept === undefined ? undefined : Buffer.concat(kept);
    },
    canRepeat: () => kept !== undefined,
    forget: letGo,
    receivedBytes: () => received,
  };
}

/** A body of at most this many bytes is read before it is sent on: it arrives in one piece or two. */
const MOST_GATHERED_BYTES = 65_536;

/**
 * Whether a body is better read whole than streamed: two streams cost more than all else that is
 * done to such a request, and a client that stalls in its middle would hold a connection to the
 * upstream. Not a body of unknown length, and not one whose client waits to be invited, since the
 * upstream may refuse it by its head.
 */
export function hasShortBody({ headers }: IncomingMessage): boolean {
  const length = Number(headers['content-length'] ?? 0);
  return length > 0 && length <= MOST_GATHERED_BYTES && headers.expect === undefined;
}

/** The body of a request that nobody judges; rejects when the client leaves in the middle of a short one. */
export async function arrivingBody(
  response: ServerResponse,
  memory: BodyMemory,
  watch?: BodySink,
): Promise<RequestBody> {
  const body = hasShortBody(response.req)
    ? await readWholeBody(response, memory, MOST_GATHERED_BYTES)
    : undefined;
  return body === undefined ? streamedBody(response, memory, watch) : wholeBody(body, watch);
}

/**
 * Reads a whole body of at most `maxBytes`; resolves to undefined when it is longer, and reads no
 * further then. Rejects when the client leaves before the end, and with `memory-full` when there is no
 * room for it.
 */
export function readWholeBody(
  response: ServerResponse,
  memory: BodyMemory,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const request = response.req;
  const memoryHeld = memory.open(response);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const take = (chunk: Buffer): void => {
      received += chunk.length;
      const isTooLong = received > maxBytes;
      if (!isTooLong && memoryHeld.take(chunk.length)) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take).pause();
      if (isTooLong) resolve(undefined);
      else reject(refuseForMemory());
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new Error('the client left before its body was whole')));
  });
}
