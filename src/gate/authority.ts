/**
 * Host names as `Host` and `Origin` spell them. Judged by spelling alone: resolving a name is what DNS
 * rebinding abuses, and `localhost.` or `a.localhost` is for a resolver to decide.
 */

/** `localhost`, an address of 127.0.0.0/8 in plain dotted form, or `[::1]`; `host` is lower-case, without port. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (host.startsWith('127.') && isIpv4(host));
}

/** Four decimal octets without leading zeros, which some resolvers read as octal. */
function isIpv4(text: string): boolean {
  const octets = text.split('.');
  return (
    octets.length === 4 &&
    octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)
  );
}

/** Host and port of `host [ ":" port ]` (RFC 3986 section 3.2), the host in lower case; else undefined. */
export function parseAuthority(text: string): { host: string; port: string } | undefined {
  const match = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text);
  const [, host, port = ''] = match ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host.toLowerCase(), port };
}
