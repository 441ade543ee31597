/** Flags that have no effect because the config file is there already. */
import { resolve } from 'node:path';

import { parseOpenemrBase } from '../../auth/fhir-base.ts';
import { allowsWriting } from '../../auth/system-scopes.ts';
import type { ProxyConfig, RouteConfig } from '../../config/schema.ts';
import { DEFAULT_CLIENT_NAME } from '../registration/arguments.ts';
import { DEFAULT_PATH } from './arguments.ts';
import type { InitSession } from './session.ts';

/**
 * The flags that say something else than the config file. Those that say the same are fine: after a stop
 * people type the same line again.
 */
export function findUnusedFlags(
  { listen }: Pick<ProxyConfig, 'listen'>,
  { path, upstream, tokenEndpoint, client, tls, errorLog }: RouteConfig,
  { args, folder, cwd }: InitSession,
): string[] {
  const scopes = client?.scopes ?? [];
  const differs: Record<string, boolean> = {
    scopes: args.scopes !== undefined && !isSameSet(args.scopes, scopes),
    write: args.write && !allowsWriting(scopes),
    'token-endpoint':
      args['token-endpoint'] !== undefined && args['token-endpoint'] !== tokenEndpoint,
    key: args.key !== undefined && resolve(cwd, args.key) !== client?.key,
    ca: args.ca !== undefined && resolve(cwd, args.ca) !== tls.ca,
    host: args.host !== undefined && args.host !== listen.host,
    port: args.port !== undefined && args.port !== listen.port,
    path: args.path !== DEFAULT_PATH && args.path !== path,
    site: args.site !== undefined && args.site !== parseOpenemrBase(upstream)?.site,
    'error-log': args['error-log'] !== undefined && resolve(folder, args['error-log']) !== errorLog,
    'client-name': args['client-name'] !== DEFAULT_CLIENT_NAME,
    contact: args.contact !== undefined,
  };
  return Object.entries(differs).flatMap(([flag, isUnused]) => (isUnused ? [`--${flag}`] : []));
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((each) => b.includes(each));
}
