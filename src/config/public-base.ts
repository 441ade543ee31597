/**
 * What clients call the proxy by: the beginning of every link to it, such as `https://dev.example/fhirproxy`.
 * A server in front of it (TLS, a path prefix) says so in the setting, or in headers that are believed
 * from trusted servers alone. What a client could put there changes links in its own response, no more.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

import { isLoopbackHost, withoutBrackets } from './host.ts';
import { parseNetwork } from './network.ts';
import type { ListenConfig } from './schema.ts';

/** What is looked at of a request. */
export type CalledRequest = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
};

/** Gives the base of a request whose `Host` the gate has accepted: scheme, authority and prefix, without a final slash. */
export type PublicBase = (request: CalledRequest) => string;

type PublicSettings = Pick<
  ListenConfig,
  'publicUrl' | 'trustedProxies' | 'allowedHosts' | 'unsafeAnyHost'
>;

/** Most addresses of peers that are remembered. */
const MAX_KNOWN = 64;
const AUTHORITY = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;
/** One parameter of `Forwarded` and what ends it (RFC 7239 section 4). */
const FORWARDED_PAIR =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))[ \t]*(;|,|$)/y;

/** Builds the base of each request, from what a configuration says. */
export function createPublicBase(listen: PublicSettings): PublicBase {
  const { publicUrl } = listen;
  if (publicUrl !== undefined) {
    const fixed = withoutFinalSlash(publicUrl);
    return () => fixed;
  }
  const isTrusted = createPeerCheck(listen.trustedProxies);
  const allowed = new Set(listen.allowedHosts.map((host) => host.toLowerCase()));
  const mayBeCalled = (host: string): boolean =>
    listen.unsafeAnyHost || allowed.has(host) || isThisMachine(host);

  return ({ headers, socket }) => {
    const scheme = socket.encrypted === true ? 'https' : 'http';
    const host = headers.host ?? 'localhost';
    const named = isNamed(headers) && isTrusted(socket.remoteAddress) ? readNamed(headers) : {};
    const authority = authorityOf(named, mayBeCalled) ?? host;
    return `${named.scheme ?? scheme}://${authority}${named.prefix ?? ''}`;
  };
}

/** Writes a base as it is put before paths. */
export function withoutFinalSlash(url: string): string {
  return url.replace(/\/$/, '');
}

/** Whether a peer is a trusted one; on a Unix socket it is a program of this machine. */
function createPeerCheck(
  trustedProxies: readonly string[],
): (address: string | undefined) => boolean {
  const networks = new BlockList();
  for (const text of trustedProxies) {
    const network = parseNetwork(text);
    if (network !== undefined) networks.addSubnet(network.address, network.bits, network.family);
  }
  const known = new Map<string, boolean>();
  return (address = '127.0.0.1') => {
    const remembered = known.get(address);
    if (remembered !== undefined) return remembered;
    const isTrusted = networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    if (known.size < MAX_KNOWN) known.set(address, isTrusted);
    return isTrusted;
  };
}

type Headers = IncomingMessage['headers'];

/** What the server in front says; each part only if it is well-formed. */
interface Named {
  scheme?: string;
  authority?: string;
  port?: string;
  prefix?: string;
}

function isNamed(headers: Headers): boolean {
  return (
    headers['x-forwarded-proto'] !== undefined ||
    headers['x-forwarded-host'] !== undefined ||
    headers['x-forwarded-prefix'] !== undefined ||
    headers.forwarded !== undefined
  );
}

function readNamed(headers: Headers): Named {
  const forwarded = readForwarded(headers.forwarded ?? '');
  const scheme = (forwarded.proto ?? firstOf(headers['x-forwarded-proto'])).toLowerCase();
  const authority = (forwarded.host ?? firstOf(headers['x-forwarded-host'])).toLowerCase();
  const port = firstOf(headers['x-forwarded-port']);
  const prefix = withoutFinalSlash(firstOf(headers['x-forwarded-prefix']));
  return {
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    ...(authority === '' ? {} : { authority }),
    ...(isPort(port) ? { port } : {}),
    ...(isPrefix(prefix) ? { prefix } : {}),
  };
}

/** Undefined when no host is named, or one that is neither a loopback name nor allowed. */
function authorityOf(
  { scheme, authority, port }: Named,
  mayBeCalled: (host: string) => boolean,
): string | undefined {
  const [, host = '', ownPort] = AUTHORITY.exec(authority ?? '') ?? [];
  if (host === '' || !mayBeCalled(host)) return undefined;
  if (ownPort !== undefined && !isPort(ownPort.slice(1))) return undefined;
  if (ownPort !== undefined || port === undefined) return `${host}${ownPort ?? ''}`;
  const isUsual = port === (scheme === 'https' ? '443' : '80');
  return isUsual ? host : `${host}:${port}`;
}

/** The value that the first of several servers set: the one that the client called. */
function firstOf(value: string | readonly string[] | undefined): string {
  const text = typeof value === 'string' ? value : (value?.[0] ?? '');
  const end = text.indexOf(',');
  return (end === -1 ? text : text.slice(0, end)).trim();
}

/** As the gate has it: by spelling, without names that a resolver would decide. */
function isThisMachine(host: string): boolean {
  return host === 'localhost' || (isIP(withoutBrackets(host)) !== 0 && isLoopbackHost(host));
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

function isPrefix(text: string): boolean {
  return PREFIX.test(text) && !text.split('/').some((segment) => /^\.+$/.test(segment));
}

/** `proto` and `host` of the first element; nothing of an element that is not well-formed. */
function readForwarded(text: string): { proto?: string; host?: string } {
  const found: Record<string, string> = {};
  FORWARDED_PAIR.lastIndex = 0;
  for (;;) {
    const match = FORWARDED_PAIR.exec(text);
    if (match === null) return {};
    const [, name = '', quoted, token, end] = match;
    found[name.toLowerCase()] ??= quoted ?? token ?? '';
    if (end !== ';') return found;
  }
}
