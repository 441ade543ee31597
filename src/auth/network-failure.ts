/** Why no answer came, in words, from the codes of Node, OpenSSL and undici. */

import { networkCode, UNASKED_INTERIM } from '../base/network-code.ts';

/** A failure to get any answer. */
export interface NetworkFailure {
  /** Code of the failure underneath, such as `ECONNREFUSED`; undefined when there is none. */
  code: string | undefined;
  /** What happened, to follow "because" or a colon. */
  reason: string;
  /** What to do, as an imperative. */
  remedy: string;
  /** `configuration`: waiting does not mend it. */
  kind: 'configuration' | 'transient';
}

type Words = Pick<NetworkFailure, 'reason' | 'remedy' | 'kind'>;

const UNREACHABLE: Words = {
  reason: 'there is no way to its address',
  remedy: 'check the network and the address',
  kind: 'transient',
};
const UNKNOWN_NAME: Words = {
  reason: 'its host name is not known',
  remedy: 'check the host name, and whether it is known where the proxy runs',
  kind: 'transient',
};
const CUT: Words = {
  reason: 'the connection was closed before the answer was complete',
  remedy: 'check the server and what stands in front of it',
  kind: 'transient',
};
const TOO_SLOW: Words = {
  reason: 'no answer came in time',
  remedy: 'check whether the server is overloaded, or raise "timeouts.tokenMs"',
  kind: 'transient',
};
const NO_CONNECTION: Words = {
  reason: 'no connection could be made in time',
  remedy: 'check the address and the firewalls on the way',
  kind: 'transient',
};
const UNTRUSTED: Words = {
  reason: 'its certificate is not signed by a trusted authority',
  remedy: 'name its certificate, or that of its authority, in "tls.ca"',
  kind: 'configuration',
};
/** The same where "tls.ca" names what is trusted: adding a certificate blindly would trust a stranger. */
const NOT_THE_TRUSTED: Words = {
  reason:
    'the certificate that it shows is neither in "tls.ca" nor signed by one there: it has a new one, or somebody is in between',
  remedy:
    'compare its fingerprint with that of the certificate on the server itself, then put the new one into the file of "tls.ca"',
  kind: 'configuration',
};
const NOT_TLS: Words = {
  reason: 'no TLS connection could be agreed on',
  remedy: 'check whether the URL should start with "http:" instead of "https:", or the other way',
  kind: 'configuration',
};
const NOT_HTTP: Words = {
  reason: 'what came back is not HTTP',
  remedy: 'check the port, and whether the URL should start with "https:"',
  kind: 'configuration',
};
const CLIENT_CERTIFICATE: Words = {
  reason: 'it asks for a client certificate, or refuses ours',
  remedy: 'set "tls.cert" and "tls.key" to a certificate that it trusts',
  kind: 'configuration',
};

const WORDS: Readonly<Record<string, Words>> = {
  ECONNREFUSED: {
    reason: 'nothing listens there',
    remedy: 'start the server, or correct the address',
    kind: 'transient',
  },
  ENOTFOUND: UNKNOWN_NAME,
  EAI_AGAIN: UNKNOWN_NAME,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  ECONNRESET: CUT,
  EPIPE: CUT,
  UND_ERR_SOCKET: CUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT,
  ETIMEDOUT: NO_CONNECTION,
  UND_ERR_CONNECT_TIMEOUT: NO_CONNECTION,
  UND_ERR_HEADERS_TIMEOUT: TOO_SLOW,
  UND_ERR_BODY_TIMEOUT: TOO_SLOW,
  ANSWER_TIMEOUT: TOO_SLOW,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has expired',
    remedy: 'renew the certificate of the server',
    kind: 'configuration',
  },
  CERT_NOT_YET_VALID: {
    reason: 'its certificate is not valid yet',
    remedy: 'check the clocks of both machines',
    kind: 'configuration',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'its certificate is for another host name',
    remedy: 'call the server by a name in its certificate, or set "tls.serverName"',
    kind: 'configuration',
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  EPROTO: NOT_TLS,
  [UNASKED_INTERIM]: {
    reason: 'it answered "100 Continue" or "101 Switching Protocols", which nobody asked for',
    remedy: 'look at what it sends with curl -v, and take what sends it out of the way',
    kind: 'configuration',
  },
  UND_ERR_HEADERS_OVERFLOW: {
    reason: 'its answer has more header fields than this proxy takes',
    remedy: 'look at what it sends with curl',
    kind: 'configuration',
  },
};

/** Whether a code tells of a certificate that no trusted authority has signed. */
export function isUntrusted(code: string | undefined): code is string {
  return code !== undefined && WORDS[code] === UNTRUSTED;
}

/**
 * Puts a rejected request into words. Looks through `cause` and through the parts of an AggregateError.
 *
 * @param options.hasAuthority whether "tls.ca" is set; default no
 */
export function parseNetworkFailure(
  error: unknown,
  { hasAuthority = false }: { hasAuthority?: boolean | undefined } = {},
): NetworkFailure {
  const code = networkCode(error);
  if (hasAuthority && isUntrusted(code)) return { code, ...NOT_THE_TRUSTED };
  const known = code === undefined ? undefined : WORDS[code];
  if (known !== undefined) return { code, ...known };
  if (code?.startsWith('HPE_') === true) return { code, ...NOT_HTTP };
  if (code?.startsWith('ERR_SSL_') === true) return { code, ...NOT_TLS };
  return {
    code,
    reason: `the request failed${code === undefined ? '' : ` (${code})`}`,
    remedy: 'check the address and the server',
    kind: 'transient',
  };
}
