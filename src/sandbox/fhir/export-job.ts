/** Bulk export jobs: what an export writes and what its status says. */
import type { Records, StoredDocument } from './records.ts';
import type { Resource } from './resource.ts';
import { referencedId } from './search-values.ts';

/** A row of `export_job`. Exports run inside their kick-off, so that every job is complete. */
export interface ExportJob {
  /** UUID. */
  id: string;
  clientId: string;
  startedAtMs: number;
  /** Path of the kick-off below the site, such as `/fhir/Patient/$export`. */
  request: string;
  /** One file for every resource type, in alphabetical order. */
  files: readonly { type: string; document: StoredDocument }[];
}

/** What an export takes in. */
export interface ExportScope {
  types: readonly string[];
  /** Only resources that changed since then, milliseconds since the epoch. */
  sinceMs: number;
  /** Only resources of these patients; undefined: of all. */
  patientIds?: readonly string[];
}

/** Types that OpenEMR can export. */
const EXPORTABLE: ReadonlySet<string> = new Set(
  [
    'AllergyIntolerance CarePlan CareTeam Condition Device DiagnosticReport DocumentReference',
    'Encounter Goal Group Immunization Location Medication MedicationRequest Observation',
    'Organization Patient Practitioner Procedure Provenance',
  ]
    .join(' ')
    .split(' '),
);
const FILE_LIFE_MS = 3_600_000;
/** `system/Patient.read`, or letters with an `r` among them. */
const READ_SCOPE = /^system\/([A-Za-z]+)\.(?:read|[cuds]*r[uds]*)$/;

/** Exportable types that the scopes of a token cover, in alphabetical order. */
export function exportableTypes(scopes: readonly string[]): readonly string[] {
  const types = scopes.flatMap((scope) => READ_SCOPE.exec(scope)?.[1] ?? []);
  return [...new Set(types)].filter((type) => EXPORTABLE.has(type)).toSorted();
}

/**
 * Writes the files of a job.
 *
 * @param encode turns a resource into its line of NDJSON, without the newline; the last line has none
 */
export function writeExportFiles(
  records: Records,
  job: Pick<ExportJob, 'id' | 'startedAtMs'>,
  scope: ExportScope,
  encode: (resource: Resource) => string,
): ExportJob['files'] {
  return scope.types.map((type) => ({
    type,
    document: records.addDocument({
      fileName: `${type}-${job.id}.ndjson`,
      mimeType: 'application/fhir+ndjson',
      content: records
        .list(type)
        .filter((resource) => isInScope(resource, scope))
        .map(encode)
        .join('\n'),
      expiresAtMs: job.startedAtMs + FILE_LIFE_MS,
    }),
  }));
}

/** Lets go of the content of files that cannot be read any more. */
export function releaseExpiredFiles(jobs: Iterable<ExportJob>, nowMs: number): void {
  for (const { startedAtMs, files } of jobs) {
    if (startedAtMs + FILE_LIFE_MS > nowMs) continue;
    for (const { document } of files) document.content = '';
  }
}

function isInScope(resource: Resource, { sinceMs, patientIds }: ExportScope): boolean {
  if (Date.parse(resource.meta.lastUpdated) < sinceMs) return false;
  if (patientIds === undefined) return true;
  const patientId =
    resource.resourceType === 'Patient'
      ? resource.id
      : referencedId(resource.subject ?? resource.patient ?? null);
  return patientId === undefined || patientIds.includes(patientId);
}
