import { ProxyError } from '../base/errors.ts';
/** What about a request head would make two readers of it disagree, or cost too much to read. */
import type { LimitsConfig } from '../config/schema.ts';
import type { ScannedFields } from './field-scan.ts';

/**
 * The refusal, or undefined. `fields-refused` (431), `target-too-long` (414), `framing-refused` (400).
 * After any of them the connection is of no further use.
 */
export function checkFraming(
  rawHeaders: readonly string[],
  target: string,
  fields: ScannedFields,
  limits: Pick<LimitsConfig, 'headerCount' | 'targetBytes'>,
): ProxyError | undefined {
  if (rawHeaders.length > limits.headerCount * 2) {
    return new ProxyError(
      'fields-refused',
      `the request has more than ${limits.headerCount} fields: send fewer, or raise "listen.limits.headerCount"`,
      { status: 431 },
    );
  }
  if (target.length > limits.targetBytes) {
    return new ProxyError(
      'target-too-long',
      `the request target is longer than ${limits.targetBytes} bytes: search with POST "_search" instead, or raise "listen.limits.targetBytes"`,
      { status: 414 },
    );
  }
  // Node takes "xchunked" for no body at all, and would then read the body as the next request; one
  // that is empty it does not see.
  if (
    fields.transferEncodingCount > 1 ||
    (fields.transferEncodingCount === 1 && fields.transferEncoding.toLowerCase() !== 'chunked')
  ) {
    return new ProxyError(
      'framing-refused',
      'the "Transfer-Encoding" field is not "chunked": expected that, or none at all (RFC 9112 section 6.1)',
      { status: 400 },
    );
  }
  if (fields.contentTypeCount > 1) {
    return new ProxyError(
      'framing-refused',
      `the request has ${fields.contentTypeCount} "Content-Type" fields: expected at most one`,
      { status: 400 },
    );
  }
  return undefined;
}

/** The refusal of a version that this connection does not speak (`version-refused`, 505). */
export function checkVersion(version = '1.1'): ProxyError | undefined {
  if (version === '1.1' || version === '1.0') return undefined;
  return new ProxyError(
    'version-refused',
    'the request line names another version than HTTP/1.1 or HTTP/1.0: send it as HTTP/1.1',
    { status: 505 },
  );
}

/** Connections whose framing is no longer trusted, with the refusal that ended the trust. */
export interface Condemned {
  add(socket: object | undefined, error: ProxyError): void;
  get(socket: object | undefined): ProxyError | undefined;
}

/**
 * After `Connection: close` nothing more of a connection may be processed (RFC 9112 section 9.6), but
 * Node hands over whatever its parser has taken for a request in the bytes already received.
 */
export function createCondemned(): Condemned {
  const errors = new WeakMap<object, ProxyError>();
  let any = false;
  return {
    add(socket, error) {
      if (socket === undefined) return;
      any = true;
      errors.set(socket, error);
    },
    get: (socket) => (any && socket !== undefined ? errors.get(socket) : undefined),
  };
}
