/** What the sandbox's database holds: FHIR resources by type, in order of creation, and stored files. */
import type { Resource } from './resource.ts';

/** A stored file: the content of a DocumentReference, or an export in NDJSON. Served as a Binary. */
export interface StoredDocument {
  /** Number of the file: the id of the Binary. */
  readonly id: number;
  fileName: string;
  mimeType: string;
  content: string;
  /** Set when it was deleted: OpenEMR keeps the row. */
  deleted?: true;
  /** When access ends, milliseconds since the epoch; exports live one hour. */
  expiresAtMs?: number;
}

/** The database. Ids are compared without regard to letter case, as MariaDB does with OpenEMR's binary ids. */
export interface Records {
  /** Resources of a type in order of creation; empty for a type that has none. */
  list(resourceType: string): readonly Resource[];
  find(resourceType: string, id: string): Resource | undefined;
  /** Adds a resource, or replaces the one with the same type and id in its place. */
  put(resource: Resource): void;
  addDocument(document: Omit<StoredDocument, 'id'>): StoredDocument;
  findDocument(id: number): StoredDocument | undefined;
  /** Empties every table; numbers of files go on. */
  clear(): void;
}

/**
 * @param load fills an empty database; called once, at the first use, so that a sandbox that is never asked
 * for data starts without making any
 */
export function createRecords(load: (records: Records) => void = () => undefined): Records {
  const tables = new Map<string, Map<string, Resource>>();
  const documents = new Map<number, StoredDocument>();
  let lastDocument = 0;
  let loaded = false;

  const records: Records = {
    list: (resourceType) => [...(table(resourceType)?.values() ?? [])],
    find: (resourceType, id) => table(resourceType)?.get(id.toLowerCase()),
    put(resource) {
      ensureLoaded();
      let rows = tables.get(resource.resourceType);
      if (rows === undefined) {
        rows = new Map();
        tables.set(resource.resourceType, rows);
      }
      rows.set(resource.id.toLowerCase(), resource);
    },
    addDocument(document) {
      ensureLoaded();
      lastDocument += 1;
      const stored = { ...document, id: lastDocument };
      documents.set(stored.id, stored);
      return stored;
    },
    findDocument(id) {
      ensureLoaded();
      return documents.get(id);
    },
    clear() {
      loaded = true;
      tables.clear();
      documents.clear();
    },
  };
  return records;

  function table(resourceType: string): Map<string, Resource> | undefined {
    ensureLoaded();
    return tables.get(resourceType);
  }

  function ensureLoaded(): void {
    if (loaded) return;
    loaded = true;
    load(records);
  }
}
