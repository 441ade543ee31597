/**
 * Requests that ask for another protocol (`Upgrade`, RFC 9110 section 7.8). This proxy switches to none
 * and answers them as they are, but Node throws away what came together with such a request and
 * takes what comes later for the beginning of a next one: a client, or a proxy in front of this one,
 * that had sent a request there would have the middle of it read as a request (request smuggling).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { ProxyError } from '../base/errors.ts';

/**
 * Makes the judge of requests as they arrive: after one that asks for another protocol its connection
 * ends, and nothing that follows on it is served.
 *
 * @param onRefused gets what was not served
 * @returns whether a request may be served; if not, it gets no answer
 */
export function createUpgradeGuard(
  onRefused: (error: ProxyError) => void,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const last = new WeakSet<Socket>();
  return (request, response) => {
    const { headers, socket } = request;
    if (last.has(socket)) {
      onRefused(
        new ProxyError(
          'request-after-upgrade',
          'a request came behind one that had asked for another protocol, which the proxy does not speak: where it begins is not certain, so it was not read. Send it on a connection of its own',
          { status: 400 },
        ),
      );
      return false;
    }
    if (headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '')) {
      last.add(socket);
      response.shouldKeepAlive = false;
    }
    return true;
  };
}
