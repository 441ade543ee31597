/** DocumentReference: a row of `documents` as a resource; its content is a Binary of the same server. */
import {
  CODE_SYSTEM,
  buildConcept,
  buildMeta,
  buildReference,
  formatInstant,
} from '../resource.ts';
import type { JsonObject, Resource } from '../resource.ts';
import { asArray, asObject, asString } from './parse.ts';

/** What OpenEMR keeps of a document, as far as FHIR shows it. */
export interface DocumentReferenceRow {
  id: string;
  /** Number of the stored file: the id of the Binary. */
  documentId: number;
  mimeType: string;
  createdMs: number;
  patientId: string;
  encounterId: string;
  practitionerId: string;
  organizationId: string;
  /** LOINC code and name of the kind of document. */
  type: { code: string; display: string };
  category: { code: string; display: string };
}

/**
 * The resource that shows a row. `attachment.url` starts at the API's base (`/fhir/Binary/12`);
 * `withAbsoluteUrls` completes it, as the base depends on the request.
 */
export function buildDocumentReference(row: DocumentReferenceRow): Resource {
  const start = formatInstant(row.createdMs);
  return {
    id: row.id,
    meta: buildMeta(row.createdMs),
    resourceType: 'DocumentReference',
    identifier: [{ value: row.id }],
    status: 'current',
    type: buildConcept({ system: CODE_SYSTEM.loinc, ...row.type }),
    category: [
      buildConcept({
        system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
        ...row.category,
      }),
    ],
    subject: buildReference('Patient', row.patientId),
    date: start,
    author: [buildReference('Practitioner', row.practitionerId)],
    custodian: buildReference('Organization', row.organizationId),
    content: [
      {
        attachment: { contentType: row.mimeType, url: `/fhir/Binary/${row.documentId}` },
        format: {
          system: CODE_SYSTEM.ihe,
          code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient',
          display: 'mimeType Sufficient',
        },
      },
    ],
    context: {
      encounter: [buildReference('Encounter', row.encounterId)],
      period: { start },
    },
  };
}

/**
 * The resource as an answer shows it.
 *
 * @param apiBase absolute URL up to the site, such as `https://localhost:9300/apis/default`
 */
export function withAbsoluteUrls(resource: Resource, apiBase: string): Resource {
  if (resource.resourceType !== 'DocumentReference') return resource;
  const content = asArray(resource.content).map((entry): JsonObject => {
    const { attachment, ...rest } = asObject(entry);
    const { url, ...described } = asObject(attachment);
    return { attachment: { ...described, url: `${apiBase}${asString(url) ?? ''}` }, ...rest };
  });
  return { ...resource, content };
}
