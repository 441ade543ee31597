import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

import type { Exchange } from '../../base/contracts.ts';
import { canSendAgain } from '../exchange-view.ts';
import { pair } from '../field-view.ts';

/** A new request has its own framing and connection. */
const NOT_REPEATED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'if-none-match',
  'if-modified-since',
]);

/** How long the answer may take before the page is told that it has not come, in milliseconds. */
const TIMEOUT_MS = 60_000;

/**
 * Sends the request of an exchange again, to the address that the inspector was reached at: through
 * the whole proxy, as the client did. The answer is read and dropped; it shows up as a new exchange.
 *
 * @param socket a connection to this proxy
 * @param done called once: with what went wrong, or with the status of the answer
 */
export function sendAgain(
  exchange: Exchange,
  socket: Socket,
  done: (error: string | undefined, status: number) => void,
): void {
  const { wire } = exchange;
  if (wire === undefined || !canSendAgain(exchange)) {
    done('only GET and HEAD can be sent again: bodies are not kept', 0);
    return;
  }
  if (socket.localPort === undefined) {
    done('what came over a Unix socket cannot be sent again from here', 0);
    return;
  }
  const fields = pair(wire.received ?? []).filter(
    ({ name }) => !NOT_REPEATED.has(name.toLowerCase()),
  );
  let finished = false;
  const finish = (error?: string, status = 0) => {
    if (finished) return;
    finished = true;
    done(error, status);
  };
  let request: ClientRequest;
  try {
    request = startRequest(exchange, socket, fields, finish);
  } catch {
    // A target or a field that came with raw octets, which Node does not send.
    finish('the request has characters that cannot be sent again from here');
    return;
  }
  request.once('timeout', () => request.destroy(new Error('timeout')));
  request.once('error', () => finish('the request could not be sent again'));
  request.end();
}

/** @throws when the target or a field cannot be written */
function startRequest(
  { method, wire }: Exchange,
  socket: Socket,
  fields: readonly { name: string; value: string }[],
  finish: (error?: string, status?: number) => void,
): ClientRequest {
  const isSecure = (socket as { encrypted?: boolean }).encrypted === true;
  return (isSecure ? httpsRequest : httpRequest)(
    {
      // It is this very proxy, whatever names its certificate has.
      ...(isSecure ? { rejectUnauthorized: false } : {}),
      host: socket.localAddress,
      port: socket.localPort,
      method,
      path: wire?.target ?? '/',
      // Without a list of fields Node sets Host by itself.
      ...(fields.length === 0
        ? {}
        : { headers: fields.flatMap(({ name, value }) => [name, value]) }),
      agent: false,
      timeout: TIMEOUT_MS,
    },
    (response) => {
      response.resume();
      response.once('end', () => finish(undefined, response.statusCode ?? 0));
      response.once('close', () => finish('the answer was cut'));
    },
  );
}
