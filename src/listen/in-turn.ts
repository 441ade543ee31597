/**
 * Pipelined requests (RFC 9112 section 9.3.2). Node hands over every request of a connection as soon as it
 * is parsed, so that one caller could have a hundred thousand of them under way. Here the next one starts
 * when the response to the one before is over, and those that wait are few.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { ProxyError } from '../base/errors.ts';

/** Most requests of one connection that may wait for their turn; real clients pipeline a handful, if at all. */
const MOST_WAITING = 100;

/**
 * Serves the requests of each connection one at a time, in their order.
 *
 * @param serve gets a request when it is its turn
 * @param onRefused gets the reason why a connection was closed
 */
export function serveInTurn(
  serve: RequestListener,
  onRefused: (error: ProxyError) => void,
): RequestListener {
  const queues = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>();

  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    response.once('close', () => next(socket));
    serve(request, response);
  };
  const next = (socket: Socket): void => {
    const turn = socket.destroyed ? undefined : queues.get(socket)?.shift();
    if (turn === undefined) queues.delete(socket);
    else begin(...turn);
  };

  return (request, response) => {
    const { socket } = request;
    // What Node had parsed already goes on arriving for a moment.
    if (socket.destroyed) return;
    const waiting = queues.get(socket);
    if (waiting === undefined) {
      queues.set(socket, []);
      begin(request, response);
    } else if (waiting.length < MOST_WAITING) {
      waiting.push([request, response]);
    } else {
      queues.delete(socket);
      onRefused(
        new ProxyError(
          'pipeline-too-long',
          `a connection was closed: more than ${MOST_WAITING} requests were sent on it without waiting for a response. Wait for responses, or use more connections`,
          { status: 429 },
        ),
      );
      socket.destroy();
    }
  };
}
