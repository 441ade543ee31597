import { isAbsolute } from 'node:path';

import type { LoadedConfig } from './load.ts';
import type { RouteConfig } from './schema.ts';

/** Files that a route is made of: its signing key, unless that is inline, and its certificates. */
export function routeFiles({ client, tls }: RouteConfig): string[] {
  return [client?.key, tls.ca, tls.cert, tls.key].filter(
    (value): value is string => value !== undefined && isAbsolute(value),
  );
}

/** Every file that a configuration is made of, itself first. */
export function configFiles({ config, file }: Pick<LoadedConfig, 'config' | 'file'>): string[] {
  const files = [
    ...(file === undefined ? [] : [file]),
    ...(typeof config.listen.tls === 'object' ? Object.values(config.listen.tls) : []),
    ...config.routes.flatMap((route) => [...routeFiles(route), ...(route.client?.publish ?? [])]),
  ];
  return [...new Set(files)];
}
