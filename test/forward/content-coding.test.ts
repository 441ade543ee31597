import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';

import {
  createDecoder,
  decodeWhole,
  narrowAcceptEncoding,
  parseContentCoding,
  type ContentCoding,
} from '../../src/forward/content-coding.ts';
import { buildRequestFields } from '../../src/forward/request-fields.ts';

const TEXT = Buffer.from('{"resourceType":"Bundle","entry":[]}'.repeat(50));
const { zstdCompressSync } = zlib as { zstdCompressSync?: (body: Buffer) => Buffer };

const encoded: [what: string, coding: ContentCoding, body: Buffer][] = [
  ['gzip', 'gzip', zlib.gzipSync(TEXT)],
  ['gzip in two members', 'gzip', Buffer.concat([zlib.gzipSync(TEXT), zlib.gzipSync('')])],
  ['deflate (RFC 1950)', 'deflate', zlib.deflateSync(TEXT)],
  ['deflate without its header (RFC 1951)', 'deflate', zlib.deflateRawSync(TEXT)],
  ['br', 'br', zlib.brotliCompressSync(TEXT)],
  ...(zstdCompressSync === undefined ? [] : [['zstd', 'zstd', zstdCompressSync(TEXT)] as const]),
].map(([what, coding, body]) => [what, coding, body] as [string, ContentCoding, Buffer]);

describe('decodes', () => {
  for (const [what, coding, body] of encoded) {
    test(`${what}, at once`, () => {
      assert.deepEqual(decodeWhole(body, coding, 1_000_000), TEXT);
    });

    test(`${what}, byte by byte`, async () => {
      const decoder = createDecoder(coding, body.subarray(0, 1));
      const chunks: Buffer[] = [];
      decoder.on('data', (chunk: Buffer) => chunks.push(chunk));
      for (let i = 0; i < body.length; i += 1) decoder.write(body.subarray(i, i + 1));
      decoder.end();
      await once(decoder, 'end');
      assert.deepEqual(Buffer.concat(chunks), TEXT);
    });

    test(`${what}, but nothing that is longer than the bound, cut or broken`, () => {
      assert.equal(decodeWhole(body, coding, TEXT.length - 1), undefined);
      assert.equal(decodeWhole(body.subarray(0, body.length >> 1), coding, 1_000_000), undefined);
      assert.equal(decodeWhole(Buffer.from('no such thing'), coding, 1_000_000), undefined);
    });
  }
});

test('knows a single coding by its registered name', () => {
  const cases: [string, ContentCoding | undefined][] = [
    ['gzip', 'gzip'],
    [' GZip ', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['compress', undefined],
    ['gzip, gzip', undefined],
    ['', undefined],
    ['constructor', undefined],
  ];
  for (const [value, expected] of cases) assert.equal(parseContentCoding(value), expected, value);
});

test('Accept-Encoding keeps what can be undone, in its order and with its weights', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['*', 'identity'],
    ['compress, dcb', 'identity'],
    ['gzip, deflate, br', 'gzip, deflate, br'],
    ['gzip;q=1.0, dcz;q=0.9 ,BR ; q=0.5,*;q=0', 'gzip;q=1.0, BR ; q=0.5'],
    ['identity', 'identity'],
  ];
  for (const [value, expected] of cases) assert.equal(narrowAcceptEncoding(value), expected);
});

test('the upstream is asked for what was decided, in one field', () => {
  const received = ['Accept', 'a/b', 'accept-encoding', 'gzip, dcb', 'Accept-Encoding', 'br'];
  const ask = (codings: 'any' | 'readable' | 'identity') =>
    buildRequestFields(received, { authorization: undefined, codings });
  assert.deepEqual(ask('any'), received);
  assert.deepEqual(ask('readable'), ['Accept', 'a/b', 'Accept-Encoding', 'gzip, br']);
  assert.deepEqual(ask('identity'), ['Accept', 'a/b', 'Accept-Encoding', 'identity']);
});
