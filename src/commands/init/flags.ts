import { isLoopbackHost } from '../../config/host.ts';
import { UsageError } from '../usage-error.ts';
import type { InitArgs } from './arguments.ts';

/** Refuses a host beyond loopback when no name is known under which the proxy would be asked. @throws UsageError */
export function assertListenable({ host, 'jwks-uri': jwksUri }: InitArgs): void {
  if (host === undefined || isLoopbackHost(host) || jwksUri !== undefined) return;
  throw new UsageError(
    `--host is "${host}": the proxy would answer to no name there`,
    'Make the config with the default host, then set "listen.host" and "listen.allowedHosts" in it',
  );
}
