/**
 * Answers that are ready before their request has arrived whole: refusals above all. The rest of
 * the request is neither read for ever, nor is the connection cut so hard that the answer is lost
 * on its way (RFC 9112 section 9.6).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Longest rest of a body that is read so that the connection can be used again. */
const LONGEST_REST_BYTES = 65_536;
/** How long the rest of a body is read and thrown away before the connection is closed. */
const LINGER_MS = 1000;

/** Requests whose client was told to send the body. */
const invited = new WeakSet<IncomingMessage>();
/** Answers that were written whole and wait for the end of their request. */
const lingering = new WeakSet<ServerResponse>();

/** Whether a request head announces a body (RFC 9112 section 6.3). */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return coding !== undefined || (length !== undefined && length !== '0');
}

/** Sends `100 Continue` to a client that waits for it (RFC 9110 section 10.1.1), once. */
export function inviteBody(response: ServerResponse): void {
  const { req } = response;
  if (!awaitsContinue(req) || response.headersSent || response.destroyed) return;
  invited.add(req);
  response.writeContinue();
}

/**
 * Whether the connection must end with an answer that is sent now: a long or endless body is still
 * on its way, or may never come, since the client was not told to send it.
 */
function endsConnection(request: IncomingMessage): boolean {
  if (request.complete || !announcesBody(request)) return false;
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  return awaitsContinue(request) || coding !== undefined || Number(length) > LONGEST_REST_BYTES;
}

/** Fields that belong on an answer that is sent now, names and values in turn. */
export function buildEarlyFields({ req }: ServerResponse): readonly string[] {
  return endsConnection(req) ? CLOSE : NONE;
}

const CLOSE: readonly string[] = ['Connection', 'close'];
const NONE: readonly string[] = [];

/**
 * Ends an answer. Where the request is still arriving, what it brings is thrown away for a moment,
 * so that its client reads the answer before it meets a closed connection.
 *
 * @param rest what is left of the answer's body
 */
export function endAnswer(response: ServerResponse, rest?: Buffer): void {
  const { req } = response;
  if (!endsConnection(req) || awaitsContinue(req)) {
    response.end(rest);
    return;
  }
  if (rest !== undefined) response.write(rest);
  lingering.add(response);
  const end = (): void => {
    clearTimeout(timer);
    req.off('end', end);
    req.off('close', end);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.once('end', end);
  req.once('close', end);
  req.resume();
}

/** Whether everything that an answer has to say was handed to the connection. */
export function isWritten(response: ServerResponse): boolean {
  return response.writableFinished || lingering.has(response);
}

function awaitsContinue(request: IncomingMessage): boolean {
  const { expect } = request.headers;
  return (
    expect !== undefined &&
    request.httpVersionMajor === 1 &&
    request.httpVersionMinor === 1 &&
    !invited.has(request) &&
    /(?:^|\W)100-continue(?:$|\W)/i.test(expect)
  );
}
