/** Flags of `init` alone that are judged before anything is asked of anybody. */
import { isLoopbackHost } from '../../config/host.ts';
import { pathSchema } from '../../config/schema.ts';
import { parsePort } from '../port-flag.ts';
import { UsageError } from '../usage-error.ts';
import type { InitArgs } from './arguments.ts';

/** @throws UsageError that names the flag which is not well-formed */
export function assertInitFlags(args: InitArgs): void {
  if (args.port !== undefined) parsePort(args.port);
  assertListenable(args);
  const [issue] = pathSchema.safeParse(args.path).error?.issues ?? [];
  if (issue !== undefined) throw new UsageError(`--path is "${args.path}": ${issue.message}`);
  const clientId = args['client-id'];
  if (clientId !== undefined && !/^\S+$/.test(clientId.trim())) {
    throw new UsageError(`--client-id is "${clientId}": expected an id without spaces`);
  }
}

/** Refuses a host beyond loopback of which no name is known. */
function assertListenable({ host, 'jwks-uri': jwksUri }: InitArgs): void {
  if (host === undefined || isLoopbackHost(host) || jwksUri !== undefined) return;
  throw new UsageError(
    `--host is "${host}": the proxy would answer to no name there`,
    'Make the config with the default host, then set "listen.host" and "listen.allowedHosts" in it',
  );
}
