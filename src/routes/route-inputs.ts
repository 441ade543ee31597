/** What a route is made of, in one digest: when it has not changed, neither need the route. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { routeFiles } from '../config/files.ts';
import type { RouteConfig } from '../config/schema.ts';

/**
 * Digest of a route's settings and of the files that they name. Two do not count, since they are read
 * anew whenever the configuration changes: `access`, by which the gate judges, and `client.publish`.
 */
export async function digestRouteInputs(config: RouteConfig): Promise<string> {
  const client = config.client === undefined ? undefined : { ...config.client, publish: undefined };
  const settings = JSON.stringify({ ...config, access: undefined, client });
  const hash = createHash('sha256').update(settings);
  for (const file of routeFiles(config)) {
    const bytes = await readFile(file).catch(() => undefined);
    hash.update(`\0${file}\0${bytes?.length ?? 'unreadable'}\0`);
    if (bytes !== undefined) hash.update(bytes);
  }
  return hash.digest('base64');
}
