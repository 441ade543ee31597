/** Failures of the connection to the upstream, in the words of RFC 9209 section 2.3. */
import { UpstreamError, type UpstreamErrorCode } from '../base/errors.ts';
import { networkCode, UNASKED_INTERIM } from '../base/network-code.ts';

type Diagnosis = readonly [code: UpstreamErrorCode, status: 502 | 504, says: string];

const refused: Diagnosis = [
  'connection_refused',
  502,
  'refused the connection. Is the server running, and is the port right?',
];
const dns: Diagnosis = [
  'dns_error',
  502,
  'has a host name that cannot be resolved. Check "upstream" in the config',
];
const unroutable: Diagnosis = [
  'destination_ip_unroutable',
  502,
  'cannot be reached from here. Check the network, the VPN and "upstream" in the config',
];
const connectTimeout: Diagnosis = [
  'connection_timeout',
  504,
  'did not accept the connection in time. Check the address, the firewall and the VPN',
];
const terminated: Diagnosis = [
  'connection_terminated',
  502,
  'closed the connection before its answer was whole',
];
const responseTimeout: Diagnosis = [
  'http_response_timeout',
  504,
  'did not begin its answer in time. "timeouts.headMs" in the config gives it longer',
];
const readTimeout: Diagnosis = [
  'connection_read_timeout',
  504,
  'stopped in the middle of its answer. "timeouts.idleMs" in the config gives it longer',
];
const incomplete: Diagnosis = [
  'http_response_incomplete',
  502,
  'sent an answer of another length than it announced',
];
const notHttp: Diagnosis = [
  'http_protocol_error',
  502,
  'did not answer in proper HTTP. Is the port right, and is it http where "upstream" says https, or the reverse?',
];
const overflow: Diagnosis = [
  'http_protocol_error',
  502,
  'sent more header fields than this proxy takes (64 KiB)',
];
const unaskedInterim: Diagnosis = [
  'http_protocol_error',
  502,
  'answered "100 Continue" or "101 Switching Protocols", which nobody asked for. Take what sends it out of the way, or mend it',
];
const badLength: Diagnosis = [
  'http_request_error',
  502,
  'could not be sent the request: its body has another length than its "Content-Length" says',
];
const tlsProtocol: Diagnosis = [
  'tls_protocol_error',
  502,
  'failed the TLS handshake. Does the port speak TLS? "upstream" in the config says https',
];
const untrusted: Diagnosis = [
  'tls_certificate_error',
  502,
  'has a certificate that is not trusted here. Put its CA, or the self-signed certificate itself, into "tls.ca" in the config',
];
const expired: Diagnosis = [
  'tls_certificate_error',
  502,
  'has a certificate that has expired or is not valid yet. Renew it, or check the clock of this machine',
];
const wrongName: Diagnosis = [
  'tls_certificate_error',
  502,
  'has a certificate for another host name. Use a name that stands in it as "upstream", or set "tls.serverName" in the config',
];
const unknown: Diagnosis = ['proxy_internal_error', 502, 'could not be asked'];

/** By the code that Node, OpenSSL or undici gives. */
const BY_NODE_CODE: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: refused,
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  EAI_FAIL: dns,
  EHOSTUNREACH: unroutable,
  ENETUNREACH: unroutable,
  EADDRNOTAVAIL: unroutable,
  ETIMEDOUT: connectTimeout,
  UND_ERR_CONNECT_TIMEOUT: connectTimeout,
  ECONNRESET: terminated,
  EPIPE: terminated,
  UND_ERR_SOCKET: terminated,
  UND_ERR_CLOSED: terminated,
  UND_ERR_DESTROYED: terminated,
  UND_ERR_HEADERS_TIMEOUT: responseTimeout,
  UND_ERR_BODY_TIMEOUT: readTimeout,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: incomplete,
  UND_ERR_HEADERS_OVERFLOW: overflow,
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: badLength,
  [UNASKED_INTERIM]: unaskedInterim,
  EPROTO: tlsProtocol,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED: expired,
  CERT_NOT_YET_VALID: expired,
  ERR_TLS_CERT_ALTNAME_INVALID: wrongName,
};

/**
 * The failure underneath as an {@link UpstreamError}: its message names the upstream's origin and
 * what to do, and holds nothing of the request.
 *
 * @param failure what undici reported
 * @param origin origin of the upstream, such as `https://localhost:9300`
 */
export function buildUpstreamError(failure: unknown, origin: string): UpstreamError {
  if (failure instanceof UpstreamError) return failure;
  const nodeCode = networkCode(failure);
  const [code, status, says] = diagnose(nodeCode);
  return new UpstreamError(
    code,
    `upstream "${origin}" ${says}${nodeCode === undefined ? '' : ` (${nodeCode})`}`,
    { status, cause: failure, ...(nodeCode === undefined ? {} : { nodeCode }) },
  );
}

/** Whether the connection was closed under the request, as happens when a kept-alive one was stale. */
export function isConnectionTerminated(failure: unknown): boolean {
  return diagnose(networkCode(failure)) === terminated;
}

function diagnose(nodeCode: string | undefined): Diagnosis {
  if (nodeCode === undefined) return unknown;
  const known = BY_NODE_CODE[nodeCode];
  if (known !== undefined) return known;
  if (nodeCode.startsWith('HPE_')) return notHttp;
  if (nodeCode.startsWith('ERR_SSL_') || nodeCode.startsWith('ERR_TLS_')) return tlsProtocol;
  return unknown;
}
