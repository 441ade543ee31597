/**
 * Finds out when a request comes back to the proxy that sent it. The configuration cannot always
 * tell: port 0, names and forwarded ports may lead to the proxy itself, or round through others.
 */
import { randomBytes } from 'node:crypto';

import { ProxyError } from '../base/errors.ts';

/** The mark that one proxy leaves on whatever it sends. */
export interface LoopMark {
  /**
   * Element for the `Via` field, which a gateway has to send (RFC 9110 section 7.6.3); its
   * pseudonym is this process's own, so that two proxies in a row are no loop.
   */
  readonly via: string;
  /** The refusal (`loop-detected`, 502) of a request that carries the mark, or undefined. */
  check(via: string | undefined): ProxyError | undefined;
}

/** Bytes of the pseudonym: nobody else has the same one by chance. */
const PSEUDONYM_BYTES = 9;

/** A mark that nobody else has. */
export function createLoopMark(): LoopMark {
  const pseudonym = `fhir-auth-proxy-${randomBytes(PSEUDONYM_BYTES).toString('hex')}`;
  return {
    via: `1.1 ${pseudonym}`,
    check: (via) => (via?.includes(pseudonym) === true ? loopError() : undefined),
  };
}

function loopError(): ProxyError {
  return new ProxyError(
    'loop-detected',
    'the request has come back to the proxy that sent it: "upstream" or "tokenEndpoint" of a route leads to the proxy itself. Name the server behind it',
    { status: 502 },
  );
}
