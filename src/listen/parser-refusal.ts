/**
 * Answers to what never becomes a request: bytes that Node's parser refuses, requests that do not
 * arrive in time, `CONNECT`. Nothing of what was sent is repeated.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { ProxyError } from '../base/errors.ts';
import type { LimitsConfig } from '../config/schema.ts';
import { buildErrorAnswer } from '../exchange/outcome-response.ts';
import { isWritten } from '../forward/early-answer.ts';

/** What Node reports about bytes that are no request. */
interface ParserError extends NodeJS.ErrnoException {
  /** The bytes at hand. */
  rawPacket?: Buffer;
}

/** Refuses what never becomes a request. */
export interface ParserRefusals {
  /** The connection failed, or what came over it is not HTTP. */
  refuse(error: ParserError, socket: Duplex): void;
  /** Refuses `CONNECT`, with which a client would take this for a forward proxy. */
  refuseConnect(socket: Duplex): void;
}

/** How long a client may take to read the answer and close the connection. */
const LINGER_MS = 1000;
/** First byte of a TLS handshake record (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

/**
 * @param limits for what messages say of them
 * @param openAnswers the answers on a connection that have not ended, in order; so that none is written into
 * @param onRefused gets each refusal, for the log
 */
export function createParserRefusals(
  limits: LimitsConfig,
  openAnswers: (socket: Duplex) => Iterable<ServerResponse>,
  onRefused: (error: ProxyError) => void,
): ParserRefusals {
  const refused = new WeakSet<Duplex>();

  const end = (socket: Duplex, error: ProxyError, added: readonly string[] = []): void => {
    onRefused(error);
    endWithError(socket, error, added);
  };

  const endInTurn = (socket: Duplex, error: ProxyError): void => {
    const answers = [...openAnswers(socket)];
    // Answers to whole requests come first: the error is about what was sent after those.
    const earlier = answers.findLast(({ req }) => req.complete);
    if (earlier !== undefined) earlier.once('close', () => endInTurn(socket, error));
    // The request has been refused already.
    else if (answers.some(isWritten)) onRefused(error);
    // Within an answer that has begun, an error would look like a part of it.
    else if (!socket.writable || answers.some(({ headersSent }) => headersSent)) socket.destroy();
    else end(socket, error);
  };

  return {
    refuse(error, socket) {
      // The parser complains about everything that follows, too.
      if (refused.has(socket)) return;
      refused.add(socket);
      const handshakeFailure = describeHandshake(error);
      if (handshakeFailure !== undefined) {
        // There is no way to say it to the client: it would have to understand TLS, or trust this.
        onRefused(handshakeFailure);
        socket.destroy();
        return;
      }
      const refusal = describe(error, limits);
      if (refusal === undefined || isUntouched(socket)) socket.destroy();
      else endInTurn(socket, refusal);
    },
    refuseConnect(socket) {
      // Node has let go of the connection, its errors included.
      socket.on('error', () => socket.destroy());
      const message =
        'method "CONNECT" is not allowed: this is no forward proxy. Call it like the server itself, not through "https_proxy"';
      end(socket, new ProxyError('method-refused', message, { status: 405 }), [
        'Allow',
        'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      ]);
    },
  };
}

/** A connection that a browser opened in advance and never used is closed without a word. */
function isUntouched(socket: Duplex & { bytesRead?: number }): boolean {
  return socket.bytesRead === 0;
}

/** Why a client and this proxy did not get to speak TLS, where its user can do something about it. */
function describeHandshake({ code = '' }: ParserError): ProxyError | undefined {
  const says =
    code === 'ERR_SSL_HTTP_REQUEST'
      ? 'the client speaks plain HTTP, and this proxy TLS: write "https://" in its address, not "http://"'
      : /^ERR_SSL_[\w/]*ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)$/.test(code)
        ? 'the client does not trust the certificate of "listen.tls": make it trust the authority; with "auto", "fhir-auth-proxy certificate" says how'
        : undefined;
  return says === undefined ? undefined : new ProxyError('tls-refused', says, { status: 400 });
}

/** The refusal, or undefined when no client is left to get it. */
function describe(
  { code = '', rawPacket }: ParserError,
  limits: LimitsConfig,
): ProxyError | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ProxyError(
      'request-timeout',
      'the request did not arrive in time: send it faster, or raise "listen.limits.headersMs" or "listen.limits.requestMs"',
      { status: 408 },
    );
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ProxyError(
      'fields-refused',
      `the request head is longer than ${limits.headerBytes} bytes: send less, or raise "listen.limits.headerBytes"`,
      { status: 431 },
    );
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new ProxyError(
      'framing-refused',
      'the chunks of the request body have too many extensions: send none',
      { status: 413 },
    );
  }
  if (!code.startsWith('HPE_') || code === 'HPE_INVALID_EOF_STATE') return undefined;
  if (rawPacket?.[0] === TLS_HANDSHAKE) {
    return new ProxyError(
      'tls-refused',
      'the client speaks TLS, and this proxy plain HTTP: write "http://" in its address, not "https://", or set "listen.tls"',
      { status: 400 },
    );
  }
  return new ProxyError(
    'request-malformed',
    `the request is not HTTP/1.1 as RFC 9112 has it (${code}): send it with a common HTTP client`,
    { status: 400 },
  );
}

function endWithError(socket: Duplex, error: ProxyError, added: readonly string[]): void {
  const { fields, body } = buildErrorAnswer(error);
  fields.push(...added, 'Connection', 'close');
  let head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  // What is still on its way is read for a moment: closing at once could take the answer with it.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
  socket.resume();
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`), body]));
}
