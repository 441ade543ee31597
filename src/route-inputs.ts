/** What a route is made of, in one digest: when it has not changed, neither need the route. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { routeFiles } from './config/files.ts';
import type { RouteConfig } from './config/schema.ts';

/**
 * Digest of a route's settings and of the files that they name. `access` does not count: the gate
 * judges by it, and is made anew whenever the configuration changes.
 */
export async function digestRouteInputs(config: RouteConfig): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify({ ...config, access: undefined }));
  for (const file of routeFiles(config)) {
    const bytes = await readFile(file).catch(() => undefined);
    hash.update(`\0${file}\0${bytes?.length ?? 'unreadable'}\0`);
    if (bytes !== undefined) hash.update(bytes);
  }
  return hash.digest('base64');
}
