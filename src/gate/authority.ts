/** Which host names mean this machine. By spelling alone: resolving a name is what DNS rebinding abuses. */

/** `localhost`, an address of 127.0.0.0/8 in plain dotted form, or `[::1]`; `host` is lower-case, without port. */
export function isLoopbackHost(host: string): boolean {
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

/** A `Host` value or the authority of an origin, split; undefined when it is not `host [ ":" port ]`. */
export function parseAuthority(text: string): { host: string; port: string } | undefined {
  const match = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text);
  const [, host, port = ''] = match ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host.toLowerCase(), port };
}
