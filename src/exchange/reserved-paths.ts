/** Paths that the proxy answers by itself: its keys, its health, the pages of its hints. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { HINTS_PATH, JWKS_PATH, LIVEZ_PATH, READYZ_PATH } from '../base/own-paths.ts';
import { renderHintPage } from '../hints/hint-page.ts';
import type { PublishedKeys } from '../routes/published-keys.ts';

/** What the reserved paths tell about. */
export interface ReservedOptions {
  keys: Pick<PublishedKeys, 'fetch'>;
  /** False once the proxy is stopping. */
  ready: () => boolean;
  /** Answers the paths of the inspector; false when it is none of them. */
  inspect: (request: IncomingMessage, response: ServerResponse, path: string) => boolean;
}

/** Answers a reserved path; false when there is nothing at it. */
export type ReservedPaths = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  added: readonly string[],
) => boolean;

/** Creates the answers to the reserved paths. */
export function createReservedPaths({ keys, ready, inspect }: ReservedOptions): ReservedPaths {
  return (request, response, path, added) => {
    const send = (status: number, contentType: string, body: string, fields: string[] = []) => {
      response.writeHead(status, [
        'Content-Type',
        contentType,
        'Content-Length',
        String(Buffer.byteLength(body)),
        ...fields,
        ...added,
      ]);
      response.end(body);
      return true;
    };
    switch (path) {
      case JWKS_PATH:
        return send(200, 'application/jwk-set+json', keys.fetch(), [
          'Cache-Control',
          'max-age=300',
        ]);
      case LIVEZ_PATH:
        return send(200, 'text/plain; charset=utf-8', 'alive\n', ['Cache-Control', 'no-store']);
      case READYZ_PATH:
        return send(
          ready() ? 200 : 503,
          'text/plain; charset=utf-8',
          ready() ? 'ready\n' : 'stopping\n',
          ['Cache-Control', 'no-store'],
        );
      default: {
        const page = path.startsWith(HINTS_PATH)
          ? renderHintPage(path.slice(HINTS_PATH.length))
          : undefined;
        return page === undefined
          ? inspect(request, response, path)
          : send(200, 'text/html; charset=utf-8', page, [
              'Content-Security-Policy',
              "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            ]);
      }
    }
  };
}
