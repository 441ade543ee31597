/** Content codings (RFC 9110 section 8.4.1) that this proxy can undo, so that it can read a body. */
import type { Transform } from 'node:stream';
import zlib, { type ZlibOptions } from 'node:zlib';

/** A coding that can be undone. */
export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** zstd came with Node 22.15 and 23.8. */
const { createZstdDecompress, zstdDecompressSync } = zlib as typeof zlib & {
  createZstdDecompress?: () => Transform;
  zstdDecompressSync?: (body: Buffer, options: ZlibOptions) => Buffer;
};

const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ...(createZstdDecompress === undefined ? [] : [['zstd', 'zstd'] as const]),
]);

/**
 * The coding that a `Content-Encoding` field names, or undefined when it names none, several, or
 * one that cannot be undone here.
 */
export function parseContentCoding(value: string): ContentCoding | undefined {
  return CODINGS.get(value.trim().toLowerCase());
}

/**
 * An `Accept-Encoding` value without the codings that cannot be undone here; `identity` when
 * nothing is left or the client has sent none.
 */
export function narrowAcceptEncoding(value: string | undefined): string {
  const members = (value ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => {
      const name = member.split(';', 1)[0]!.trim().toLowerCase();
      return name === 'identity' || CODINGS.has(name);
    });
  return members.length === 0 ? 'identity' : members.join(', ');
}

/**
 * A whole body decoded at once; undefined when it is longer than `maxBytes` or broken.
 *
 * @param maxBytes bound of the decoded body: a few bytes can become very many
 */
export function decodeWhole(
  body: Buffer,
  coding: ContentCoding,
  maxBytes: number,
): Buffer | undefined {
  const options = { maxOutputLength: maxBytes };
  try {
    switch (coding) {
      case 'gzip':
        return zlib.gunzipSync(body, options);
      case 'deflate':
        return isZlib(body) ? zlib.inflateSync(body, options) : zlib.inflateRawSync(body, options);
      case 'br':
        return zlib.brotliDecompressSync(body, options);
      case 'zstd':
        return zstdDecompressSync?.(body, options);
    }
  } catch {
    return undefined;
  }
}

/** @param beginning first bytes of the body, at least one: two formats go by the name `deflate` */
export function createDecoder(coding: ContentCoding, beginning: Buffer): Transform {
  switch (coding) {
    case 'gzip':
      return zlib.createGunzip();
    case 'deflate':
      return isZlib(beginning) ? zlib.createInflate() : zlib.createInflateRaw();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress!();
  }
}

/** RFC 1950 section 2.2: the low four bits are 8. RFC 9110 means this; some servers send RFC 1951. */
function isZlib(body: Buffer): boolean {
  return (body[0]! & 0x0f) === 8;
}
