/** No answer, or none that is HTTP: between the proxy and the server. */
import { UNASKED_INTERIM } from '../../base/network-code.ts';
import { EVERYWHERE } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';

const TRUST =
  'Save the certificate and trust it: openssl s_client -connect <host>:<port> -showcerts </dev/null | openssl x509 > openemr.pem, then set "tls": {"ca": "openemr.pem"} of the route. (For a test only: "tls": {"insecure": true}.)';

/** Where one is named already, whoever adds what is shown now may trust a stranger. */
const CHANGED = {
  title: 'The certificate of the server is not the one that is trusted',
  cause:
    'The certificate that it shows is neither in "tls.ca" nor signed by one there: the server has a new one, or somebody is in between.',
  fix: 'Compare the SHA-256 fingerprints: openssl s_client -connect <host>:<port> </dev/null | openssl x509 -noout -fingerprint -sha256 shows the one from here, openssl x509 -noout -fingerprint -sha256 -in <file> on the server the true one. If they are the same, put the new certificate, or that of its authority, into the file of "tls.ca"; if not, find out who answers.',
};

/** Entries about the connection. */
export const CONNECTION_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'connection-refused',
    title: 'Nothing listens at that address',
    cause:
      'The server refused the connection: it is not running, or listens at another port. Inside a container "localhost" is the container itself.',
    fix: 'Check host and port of "upstream": curl -kv <upstream>/metadata from the same machine. In docker use the service name, or host.docker.internal for the host.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['ECONNREFUSED'],
  },
  {
    id: 'dns-failed',
    title: 'The name of the server cannot be resolved',
    cause:
      'No address is known for the host name: a typing error, a name of another network, or a name server that does not answer.',
    fix: 'Check the host in "upstream": getent hosts <host> (nslookup <host> on Windows) from the same machine or container.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_NODATA', 'EAI_FAIL'],
  },
  {
    id: 'host-unreachable',
    title: 'There is no way to that address',
    cause:
      'The network has no route to the server: a VPN that is down, another docker network, a firewall.',
    fix: 'Check the network: ping or traceroute <host>; connect the VPN, or put both containers into one docker network.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'],
  },
  {
    id: 'connect-timeout',
    title: 'The server does not take the connection',
    cause:
      'No answer came to the attempt to connect: a firewall drops it, the address is wrong, or the machine is off.',
    fix: 'Check host and port of "upstream" and the firewall between; "timeouts.connectMs" of the route sets how long to wait.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'],
  },
  {
    id: 'answer-timeout',
    title: 'The server took the request and did not answer in time',
    cause:
      'OpenEMR works on it too long or hangs. Exports run inside their kick-off request, for up to 120 s.',
    fix: 'Narrow the request (_count, fewer types), look at the load of the server, or raise "timeouts.headMs" of the route (for token requests "timeouts.tokenMs").',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ANSWER_TIMEOUT', 'ABORT_ERR'],
  },
  {
    id: 'connection-reset',
    title: 'The server closed the connection without an answer',
    cause:
      'The connection was cut before an answer came: the server was restarted, crashed, or something in between cut it. Plain HTTP to a TLS port can look like this too.',
    fix: 'Try again; if it stays, look at the logs of the web server, and check that http or https in "upstream" fits the port.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED'],
  },
  {
    id: 'not-http',
    title: 'What answers there does not speak HTTP',
    cause:
      'The answer is not HTTP/1.1: another service listens at that port (a database, SSH), or the port speaks TLS while the URL says http.',
    fix: 'Check the port of "upstream", and whether it should say https://.',
    versions: 'any server',
    stages: EVERYWHERE,
    // undici's parser gives no code when an answer does not even begin like HTTP.
    nodeCodes: ['HPE_INVALID_CONSTANT', 'HPE_INVALID_VERSION', 'HTTPParserError', 'HPE_*'],
  },
  {
    id: 'interim-answer-unasked',
    title: 'The server sent an interim answer that nobody asked for',
    cause:
      'Before its answer came "100 Continue", though the request did not say "Expect: 100-continue", or "101 Switching Protocols", though it named no other protocol. The proxy cannot tell what follows, so it breaks the connection off.',
    fix: 'Look for it with curl -sv -o /dev/null <upstream>/metadata, and again past every load balancer and gateway in between: mend or bypass the one that adds it. OpenEMR and Apache send none.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: [UNASKED_INTERIM],
  },
  {
    id: 'answer-incomplete',
    title: 'The answer ended before it was whole',
    cause:
      'Fewer or more bytes came than the answer announced: the server died while it wrote, or something in between changed the body without its length.',
    fix: 'Try again; if it stays, look at the error log of the web server and at every proxy in between.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'HPE_INVALID_EOF_STATE'],
  },
  {
    id: 'answer-head-too-long',
    title: 'The answer has more header fields than this proxy takes',
    cause:
      'The head of the answer is longer than 64 KiB: usually cookies that grow with every answer, or a gateway in between that adds fields.',
    fix: 'Look at the head with curl -sD - -o /dev/null <upstream>/metadata, and take away what grows.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['UND_ERR_HEADERS_OVERFLOW'],
  },
];

/** Entries about TLS. */
export const TLS_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'upstream-tls',
    title: 'The certificate of the server is not trusted',
    cause:
      'It is self-signed, as in the docker images of OpenEMR, or signed by an authority that this machine does not know.',
    fix: TRUST,
    versions: 'any server',
    stages: EVERYWHERE,
    specify: ({ evidence: { hasAuthority } }) => (hasAuthority === true ? CHANGED : {}),
    nodeCodes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
      'INVALID_CA',
      'CERT_SIGNATURE_FAILURE',
      'ERR_TLS_CERT_SIGNATURE_ALGORITHM_UNSUPPORTED',
    ],
  },
  {
    id: 'tls-expired',
    title: 'The certificate of the server is out of date',
    cause: 'It has expired or is not valid yet by the clock of this machine.',
    fix: 'Renew the certificate of the server (openssl x509 -noout -dates -in <file> shows its dates), or set the clock of this machine.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CRL_HAS_EXPIRED', 'CRL_NOT_YET_VALID'],
  },
  {
    id: 'tls-wrong-name',
    title: 'The certificate is for another name',
    cause: 'None of the names in the certificate is the host of the URL.',
    fix: 'Use a name that stands in the certificate in "upstream", or set "tls": {"serverName": "<name in the certificate>"} of the route.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_FORMAT', 'HOSTNAME_MISMATCH'],
  },
  {
    id: 'tls-on-http-port',
    title: 'TLS was spoken to a port for plain HTTP',
    cause: 'The URL says https, and what answers at that port is not TLS.',
    fix: 'Use the port for https in "upstream" (the development images of OpenEMR: 9300 for https, 8300 for http), or write http://.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_PACKET_LENGTH_TOO_LONG',
      'ERR_SSL_HTTP_REQUEST',
    ],
  },
  {
    id: 'tls-handshake-failed',
    title: 'Client and server could not agree on TLS',
    cause:
      'The server ended the handshake: it wants a client certificate, or shares no protocol version or cipher with this program.',
    fix: 'If it wants a client certificate, set "tls": {"cert": "…", "key": "…"} of the route. Else switch on TLS 1.2 or 1.3 at the server.',
    versions: 'any server',
    stages: EVERYWHERE,
    nodeCodes: [
      'EPROTO',
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_*',
      'ERR_TLS_*',
    ],
  },
];
