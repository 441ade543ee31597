/**
 * A listener that is meant for this machine alone, held to it: by the address that it really got, and
 * by the addresses that its connections really come from. Names and routes do not prove either.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ConfigError, ProxyError } from '../base/errors.ts';
import { isLoopbackHost } from '../config/host.ts';
import type { ListenConfig } from '../config/schema.ts';

/**
 * Closes connections to a loopback address that come from any other address. A kernel drops such
 * packets, unless it was set up to route them (`route_localnet`, as kube-proxy once set it:
 * CVE-2020-8558); then everyone on the same network reaches what listens on 127.0.0.1.
 *
 * @param onRefused gets each (`peer-refused`); the peer gets no word
 */
export function closeForeignPeers(server: Server, onRefused: (error: ProxyError) => void): void {
  server.on('connection', (socket) => {
    const { localAddress, remoteAddress } = socket;
    // Both are undefined on a Unix socket, and once the peer is gone.
    if (localAddress === undefined || remoteAddress === undefined) return;
    if (!isLoopbackHost(localAddress) || isLoopbackHost(remoteAddress)) return;
    socket.destroy();
    onRefused(
      new ProxyError(
        'peer-refused',
        'a connection to a loopback address did not come from one: expected callers on this machine. On Linux look at "sysctl net.ipv4.conf.all.route_localnet" (0 keeps other machines out) and at the rules of iptables that redirect connections',
        { status: 403 },
      ),
    );
  });
}

/**
 * Judges the address that a listener got. `localhost` is resolved when the server listens, after the
 * configuration was found to be harmless (the class of CVE-2020-8562).
 *
 * @throws ConfigError when a loopback name led elsewhere and nothing allows callers from there
 */
export function assertBoundAsNamed(server: Server, listen: ListenConfig): void {
  const { host, allowedHosts, publicUrl, unsafeAnyHost } = listen;
  const { address } = server.address() as AddressInfo;
  const isOpen = allowedHosts.length > 0 || publicUrl !== undefined || unsafeAnyHost;
  if (isOpen || host === undefined || !isLoopbackHost(host) || isLoopbackHost(address)) return;
  throw new ConfigError([
    {
      path: 'listen.host',
      message: `"${host}" leads to ${address}, which is reachable beyond this machine`,
      remedy: 'Write "127.0.0.1" or "::1", and look into /etc/hosts',
    },
  ]);
}
