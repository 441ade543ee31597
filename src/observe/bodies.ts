import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib';

import type { BodySink } from '../base/contracts.ts';

/** Most bytes kept of each body. */
export const KEPT_BODY_BYTES = 65_536;
/** Most bytes that a kept body may become when its content coding is undone. */
const DECODED_BODY_BYTES = 4 * KEPT_BODY_BYTES;

/** The beginnings of the two bodies of an exchange. */
export interface BodyStore extends BodySink {
  read(): { request: KeptBody; response: KeptBody };
}

/** The beginning of a body. */
export interface KeptBody {
  bytes: Uint8Array;
  /** Whether the body went on after what was kept. */
  cut: boolean;
}

/** Creates a store that copies the first 64 KiB of each body and lets the rest pass. */
export function createBodyStore(): BodyStore {
  const request = createPrefix();
  const response = createPrefix();
  return {
    request: (chunk) => request.add(chunk),
    response: (chunk) => response.add(chunk),
    read: () => ({ request: request.read(), response: response.read() }),
  };
}

function createPrefix() {
  const kept: Uint8Array[] = [];
  let length = 0;
  let cut = false;
  return {
    add(chunk: Uint8Array) {
      const room = KEPT_BODY_BYTES - length;
      if (chunk.length > room) cut = true;
      if (room <= 0) return;
      // A copy: the chunk is a view of a socket's read buffer, which must not be kept alive.
      const copy = Uint8Array.prototype.slice.call(chunk, 0, room);
      kept.push(copy);
      length += copy.length;
    },
    read: (): KeptBody => ({ bytes: Buffer.concat(kept), cut }),
  };
}

/** The text of a kept body, its content coding undone; undefined when that is not possible. */
export function decodeBody(
  body: KeptBody,
  contentEncoding: string | undefined,
): string | undefined {
  const limits = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: DECODED_BODY_BYTES };
  try {
    switch (contentEncoding?.trim().toLowerCase() ?? 'identity') {
      case 'identity':
        return Buffer.from(body.bytes).toString('utf8');
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body.bytes, limits).toString('utf8');
      case 'deflate':
        return inflateSync(body.bytes, limits).toString('utf8');
      case 'br':
        return brotliDecompressSync(body.bytes, {
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
          maxOutputLength: DECODED_BODY_BYTES,
        }).toString('utf8');
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
