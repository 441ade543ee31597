/**
 * Which requests of browsers reach what the inspector shows and does. Everything below the proxy has one
 * origin, so a document of an upstream that ran as script would count as "same origin". The page gets a
 * key that is new at every start, and whatever a page asks for has to carry it; the page itself is handed
 * out to a person who opens it, not to a script or a frame.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Field that carries the key; where a page cannot set fields (event streams, links), the parameter `key` does. */
const KEY_FIELD = 'x-inspector-key';

/** The key of one start, and its two questions. */
export interface PageKey {
  /** The text, for the page. */
  readonly text: string;
  /** Whether a request may see the page that holds the key: not one of a script, a frame or a worker. */
  mayOpenPage(request: IncomingMessage): boolean;
  /**
   * Whether a request may have data or actions: it carries the key, or was typed by hand, or comes from no
   * browser at all, which could read everything anyway.
   */
  mayAsk(request: IncomingMessage): boolean;
}

/** Makes a key of 144 random bits. */
export function createPageKey(): PageKey {
  const text = randomBytes(18).toString('base64url');
  return {
    text,
    mayOpenPage: ({ headers }) => (headers['sec-fetch-dest'] ?? 'document') === 'document',
    mayAsk(request) {
      const { headers, url = '' } = request;
      const site = headers['sec-fetch-site'];
      const isOfPage = (site !== undefined && site !== 'none') || headers.origin !== undefined;
      if (!isOfPage) return true;
      const given = headers[KEY_FIELD] ?? new URLSearchParams(url.split('?')[1] ?? '').get('key');
      return typeof given === 'string' && isSame(given, text);
    },
  };
}

function isSame(given: string, text: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(text)];
  return a.length === b.length && timingSafeEqual(a, b);
}
