/** The certificate that a server shows, for people to judge before they trust it. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';

import { ProxyError } from '../base/errors.ts';
import { isHostName } from '../base/grammar.ts';
import { parseNetworkFailure } from './network-failure.ts';
import { cleanServerText } from './redact-secrets.ts';

/** A certificate that can be trusted by itself: the topmost of the chain that the server sent. */
export interface ServerCertificate {
  subject: string;
  issuer: string;
  /** End of its validity. */
  validTo: Date;
  /** SHA-256 of its DER form, upper-case, in pairs with colons. */
  sha256: string;
  pem: string;
  /** Whether it signed itself; one that did not cannot be pinned, its issuer is needed. */
  selfSigned: boolean;
  /** Name to expect in the server's own certificate, when the host of the URL is none of its names. */
  serverName: string | undefined;
}

/**
 * Connects without checking anything, sends nothing, and tells what certificate was shown.
 *
 * @param origin an https origin
 * @throws ProxyError `server-unreachable`
 */
export async function requestServerCertificate(
  origin: string,
  timeoutMs: number,
): Promise<ServerCertificate> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const leaf = await new Promise<DetailedPeerCertificate>((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false,
      timeout: timeoutMs,
    });
    const fail = (error: unknown) => {
      socket.destroy();
      const { reason, remedy } = parseNetworkFailure(error);
      reject(
        new ProxyError(
          'server-unreachable',
          `no certificate from "${origin}": ${reason}; ${remedy}`,
          {
            cause: error,
          },
        ),
      );
    };
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.once('timeout', () => fail(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    socket.once('error', fail);
  });
  return describeChain(leaf, host);
}

function describeChain(leaf: DetailedPeerCertificate, host: string): ServerCertificate {
  const own = new X509Certificate(leaf.raw);
  const top = new X509Certificate(topOf(leaf).raw);
  const isNamed = isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host);
  return {
    subject: oneLine(top.subject),
    issuer: oneLine(top.issuer),
    validTo: new Date(top.validTo),
    sha256: top.fingerprint256,
    pem: top.toString(),
    selfSigned: top.checkIssued(top),
    serverName: isNamed === undefined ? firstName(own) : undefined,
  };
}

/** Node links a root to itself. */
function topOf(certificate: DetailedPeerCertificate): DetailedPeerCertificate {
  let top = certificate;
  const seen = new Set<string>();
  while (top.issuerCertificate?.raw !== undefined && !seen.has(top.fingerprint256)) {
    seen.add(top.fingerprint256);
    top = top.issuerCertificate;
  }
  return top;
}

function firstName({ subjectAltName, subject }: X509Certificate): string | undefined {
  const name =
    /(?:^|, )DNS:([^,\s]+)/.exec(subjectAltName ?? '')?.[1] ?? /^CN=(.+)$/m.exec(subject)?.[1];
  // It becomes a setting, so it is held to the grammar of host names; a wildcard is the name of no server.
  return name !== undefined && isHostName(name) ? name : undefined;
}

function oneLine(name: string): string {
  return cleanServerText(name.split('\n').join(', '));
}

/** Whether two fingerprints are the same, however they are written. */
export function isSameFingerprint(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .replace(/^sha-?256[:=]/i, '')
      .replaceAll(/[:\s]/g, '')
      .toUpperCase();
  return plain(a) === plain(b);
}
