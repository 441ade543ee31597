/** Bundles as OpenEMR builds them: of type `collection`, with one link, without paging. */
import type { Json, JsonObject, Resource } from './resource.ts';

/**
 * @param selfUrl absolute URL of the path that was asked for, without query
 * @param nowMs milliseconds since the epoch
 */
export function buildBundle(entries: readonly Json[], selfUrl: string, nowMs: number): JsonObject {
  return {
    meta: { lastUpdated: new Date(nowMs).toISOString().slice(0, 19) },
    resourceType: 'Bundle',
    type: 'collection',
    total: entries.length,
    link: [{ relation: 'self', url: selfUrl }],
    entry: entries.length === 0 ? undefined : entries,
  };
}

/** A search result. Every `fullUrl` hangs on the path that was asked for, `_search` included. */
export function buildSearchBundle(
  resources: readonly Resource[],
  selfUrl: string,
  nowMs: number,
): JsonObject {
  const entries = resources.map((resource) => ({
    fullUrl: `${selfUrl}/${resource.id}`,
    resource,
  }));
  return buildBundle(entries, selfUrl, nowMs);
}
