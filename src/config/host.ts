/** Hosts as URLs and sockets write them, and what they mean. */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Takes the brackets off an IPv6 literal as URLs write it. */
export function withoutBrackets(host: string): string {
  return /^\[.*\]$/.test(host) ? host.slice(1, -1) : host;
}

/** Writes a host as URLs have it: an IPv6 address in brackets (RFC 3986 section 3.2.2). */
export function withBrackets(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether a host name or address means this machine and nothing else: localhost, 127.0.0.0/8, ::1. */
export function isLoopbackHost(host: string): boolean {
  const name = withoutBrackets(host).toLowerCase();
  const version = isIP(name);
  if (version === 0) return /^(?:.+\.)?localhost\.?$/.test(name);
  return loopback.check(name, version === 6 ? 'ipv6' : 'ipv4');
}

/** Whether an address to listen on stands for every address of the machine. */
export function isWildcardHost(host: string): boolean {
  return /^(?:0\.0\.0\.0|(?:0*:)+0*)$/.test(withoutBrackets(host));
}

/** What is listened on when no host is named, in this order: both addresses that `localhost` may stand for. */
export const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'] as const;

/** Whether an error code of `listen` means that the machine has no such address, or not its protocol at all. */
export function isMissingAddress(code: string): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT'].includes(code);
}

/**
 * The host of a URL by which this machine calls what listens there: no client can call "every address".
 *
 * @param host undefined for both loopback addresses
 */
export function callableHost(host: string | undefined): string {
  if (host === undefined || isWildcardHost(host)) return LOOPBACK_ADDRESSES[0];
  return withBrackets(host);
}

/** Where programs of this machine reach a proxy on a port: scheme, host and port, without a final slash. */
export function ownAddress(
  { host, tls }: { host?: string | undefined; tls?: unknown },
  port: number,
): string {
  return `${tls === undefined ? 'http' : 'https'}://${callableHost(host)}:${port}`;
}
