/** The body of an answer on its way to the client, with exact backpressure. */
import type { ServerResponse } from 'node:http';

import type { Exchange } from '../contracts.ts';
import type { BodyRewriter } from './links.ts';

/** Stops, restarts and breaks off the flow from the upstream. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Writes one body. */
export interface BodyWriter {
  write(chunk: Buffer): void;
  /** Writes what the rewriter held back and ends the answer. */
  end(): void;
}

/** @param rewriter changes the body as it passes, or undefined when it passes as it is */
export function createBodyWriter(
  response: ServerResponse,
  exchange: Exchange,
  rewriter: BodyRewriter | undefined,
  flow: Flow,
): BodyWriter {
  let waiting = false;

  const send = (piece: Buffer): void => {
    if (piece.length === 0) return;
    exchange.responseBytes += piece.length;
    exchange.wire?.bodies?.response(piece);
    if (response.write(piece) || waiting) return;
    waiting = true;
    flow.pause();
    response.once('drain', () => {
      waiting = false;
      flow.resume();
    });
  };

  return {
    write: (chunk) => send(rewriter === undefined ? chunk : rewriter.push(chunk)),
    end() {
      if (rewriter !== undefined) send(rewriter.end());
      if (exchange.outcome === 'pending') exchange.outcome = 'forwarded';
      response.end();
    },
  };
}
