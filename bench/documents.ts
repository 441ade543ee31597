/** What the upstream serves: invented data in the shape and size of real answers. */
import { closeSync, openSync, writeSync } from 'node:fs';

const PROFILE = 'http://hl7.org/fhir/us/core/StructureDefinition/';

/** A Patient of about 2 kB, as a read gives it: no absolute URL of the server in it. */
export function patient(): string {
  const resource = {
    resourceType: 'Patient',
    id: '9c1f0a52-0000-4000-8000-000000000001',
    meta: { versionId: '1', lastUpdated: '2026-01-02T03:04:05+00:00' },
    text: {
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Bench Example</p></div>',
    },
    extension: ['race', 'ethnicity', 'birthsex'].map((name) => ({
      url: `${PROFILE}us-core-${name}`,
      extension: [
        { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1', code: 'UNK' } },
        { url: 'text', valueString: 'Unknown' },
      ],
    })),
    identifier: ['SS', 'PT', 'DL'].map((code) => ({
      use: 'official',
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] },
      system: 'http://hl7.org/fhir/sid/us-ssn',
      value: '000-00-0000',
    })),
    active: true,
    name: [{ use: 'official', family: 'Example', given: ['Bench'] }],
    telecom: [{ system: 'phone', value: '555-0100', use: 'home' }],
    gender: 'unknown',
    birthDate: '1970-01-01',
    address: [{ line: ['1 Example Street'], city: 'Nowhere', state: 'NA', postalCode: '00000' }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] } }],
  };
  return JSON.stringify(resource);
}

/** A searchset of about 200 kB with 50 links to the FHIR base, slashes escaped as PHP does. */
export function bundle(base: string): string {
  const link = [{ relation: 'self', url: `${base}/Observation` }];
  const entry = Array.from({ length: 49 }, (_, i) => ({
    fullUrl: `${base}/Observation/${observationId(i)}`,
    resource: observation(i, 24),
  }));
  const document = { resourceType: 'Bundle', type: 'collection', total: 49, link, entry };
  return escapeSlashes(JSON.stringify(document));
}

/** Writes NDJSON of the given size: lines of about 1.2 kB, a link to the FHIR base in each fourth. */
export function writeNdjson(file: string, base: string, bytes: number): void {
  const lines = Array.from({ length: 900 }, (_, i) =>
    escapeSlashes(
      JSON.stringify({
        ...observation(i, 6),
        ...(i % 4 === 0 ? { derivedFrom: [{ reference: `${base}/Binary/${i}` }] } : {}),
      }),
    ),
  );
  const block = Buffer.from(`${lines.join('\n')}\n`);
  const out = openSync(file, 'w');
  for (let written = 0; written < bytes; written += block.length) {
    writeSync(out, block, 0, Math.min(block.length, bytes - written));
  }
  closeSync(out);
}

function observation(i: number, components: number) {
  return {
    resourceType: 'Observation',
    id: observationId(i),
    meta: { profile: [`${PROFILE}us-core-vital-signs`] },
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '85353-1', display: 'Vital signs' }] },
    subject: { reference: 'Patient/9c1f0a52-0000-4000-8000-000000000001', type: 'Patient' },
    component: Array.from({ length: components }, (_, k) => ({
      code: { coding: [{ system: 'http://loinc.org', code: `${8000 + k}-4`, display: 'Value' }] },
      valueQuantity: { value: i + k, unit: 'mmHg', system: 'http://unitsofmeasure.org' },
    })),
  };
}

function observationId(i: number): string {
  return `9c1f0a52-0000-4000-8000-${String(i).padStart(12, '0')}`;
}

function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\\/');
}
