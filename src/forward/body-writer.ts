/** The body of an answer on its way to the client, with exact backpressure. */
import type { Transform } from 'node:stream';

import { UpstreamError } from '../base/errors.ts';
import { createDecoder, type ContentCoding } from './content-coding.ts';
import { endAnswer } from './early-answer.ts';
import type { ForwardJob } from './job.ts';
import type { BodyRewriter } from './links.ts';

/** Stops and restarts what a body comes from. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Writes one body. */
export interface BodyWriter {
  write(chunk: Buffer): void;
  /** Writes what is still held back and ends the answer. */
  end(): void;
}

/** What is done to a body as it passes. */
export interface BodyChanges {
  /** Coding to undo first. */
  coding?: ContentCoding | undefined;
  rewriter?: BodyRewriter | undefined;
}

/**
 * @param flow of the upstream's answer
 * @param broken called when the body cannot be decoded
 */
export function createBodyWriter(
  job: Pick<ForwardJob, 'response' | 'exchange'>,
  { coding, rewriter }: BodyChanges,
  flow: Flow,
  broken: (failure: UpstreamError) => void,
): BodyWriter {
  return coding === undefined
    ? createPlainWriter(job, rewriter, flow)
    : createDecodingWriter(job, { coding, rewriter }, flow, broken);
}

function createPlainWriter(
  { response, exchange }: Pick<ForwardJob, 'response' | 'exchange'>,
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
      endAnswer(response);
    },
  };
}

function createDecodingWriter(
  job: Pick<ForwardJob, 'response' | 'exchange'>,
  { coding, rewriter }: BodyChanges & { coding: ContentCoding },
  flow: Flow,
  broken: (failure: UpstreamError) => void,
): BodyWriter {
  let decoder: Transform | undefined;
  // A slow client stops the decoder, and a full decoder stops the upstream.
  const decoded = createPlainWriter(job, rewriter, {
    pause: () => decoder?.pause(),
    resume: () => decoder?.resume(),
  });

  const start = (beginning: Buffer): Transform => {
    const started = createDecoder(coding, beginning);
    started.on('data', (chunk: Buffer) => decoded.write(chunk));
    started.once('end', () => decoded.end());
    started.on('error', (cause) => broken(codingError(coding, cause)));
    job.response.once('close', () => started.destroy());
    return started;
  };

  return {
    write(chunk) {
      if (chunk.length === 0) return;
      decoder ??= start(chunk);
      if (decoder.write(chunk)) return;
      flow.pause();
      decoder.once('drain', () => flow.resume());
    },
    end() {
      if (decoder === undefined) decoded.end();
      else decoder.end();
    },
  };
}

function codingError(coding: ContentCoding, cause: unknown): UpstreamError {
  return new UpstreamError(
    'http_response_content_coding',
    `the upstream's answer is not the "${coding}" that its "Content-Encoding" says`,
    { cause },
  );
}
