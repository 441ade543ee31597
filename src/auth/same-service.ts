import { isLoopbackHost } from '../config/host.ts';

/**
 * Whether two URLs lead to the same service: same origin, or the same port of this machine under two of
 * its loopback names (`localhost`, `127.0.0.1`).
 */
export function isSameService(a: URL, b: URL): boolean {
  if (a.origin === b.origin) return true;
  const isLoopback = isLoopbackHost(a.hostname) && isLoopbackHost(b.hostname);
  return isLoopback && a.protocol === b.protocol && a.port === b.port;
}
