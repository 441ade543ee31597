/** The files on this machine that a route names beside its key: nothing of the server is needed to judge them. */
import { findExposedTlsKey, loadTlsOptions } from '../config/tls.ts';
import { loadPublishedKeys } from '../routes/route-key.ts';
import type { RouteCheck } from './check.ts';
import { ok, warn } from './result.ts';

/** Reads the certificates and the key of "tls"; says nothing where none is named. */
export const tlsFilesCheck: RouteCheck = {
  name: 'tls-files',
  needs: [],
  async run({ config: { path, tls } }) {
    await loadTlsOptions(tls, `routes["${path}"].tls`);
    const named = (['ca', 'cert', 'key'] as const).filter((name) => tls[name] !== undefined);
    if (named.length === 0) return [];
    const exposed = await findExposedTlsKey(tls);
    if (exposed !== undefined) return [warn(exposed)];
    return [ok(`${named.map((name) => `"tls.${name}"`).join(', ')} can be read`)];
  },
};

/** Reads the keys of "client.publish"; says nothing where it is not set. */
export const publishedKeysCheck: RouteCheck = {
  name: 'published-keys',
  needs: ({ client }) => (client?.publish === undefined ? [] : ['key']),
  async run({ config, facts: { key }, logger }) {
    const count = config.client?.publish?.length;
    if (count === undefined || key === undefined) return [];
    await loadPublishedKeys(config.path, key, config.client, logger);
    return [ok(`${count === 1 ? '1 key' : `${count} keys`} of "publish" can be read`)];
  },
};
