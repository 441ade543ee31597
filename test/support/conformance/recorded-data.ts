import { createRecords } from '../../../src/sandbox/fhir/records.ts';
import { buildPatient } from '../../../src/sandbox/fhir/resources/patient.ts';
import type { SandboxVersion } from '../../../src/sandbox/index.ts';
/** The data that the recorded server held: twelve test patients, and more of them for the big cases. */
import type { SandboxState } from '../../../src/sandbox/versions/profile.ts';
import type { Stage } from './stage.ts';
import { loadTranscripts } from './transcript.ts';

const FAMILIES = ['Alvarez', 'Brown', 'Chen', 'Diallo', 'Eriksen'];
/** The search that shows all twelve. */
const SEARCH = 326;

/** Ids of the twelve, in the order of their creation. */
export function recordedPatientIds(version: SandboxVersion): string[] {
  const body = loadTranscripts(version).get(SEARCH)?.response.body as {
    entry: { resource: { id: string } }[];
  };
  return body.entry.map(({ resource }) => resource.id);
}

/**
 * Replaces the sample data by what the recorded server held.
 *
 * @param count patients; default the twelve
 * @param furtherIds ids of patients beyond the twelve, by their number
 */
export function loadRecordedData(
  stage: Stage,
  count = 12,
  furtherIds: Readonly<Record<number, string>> = {},
): void {
  const { state } = stage.sandbox;
  const { server } = stage;
  const records = createRecords();
  // Numbers of files start anew, as after an installation.
  Object.assign(state, { records } satisfies Partial<SandboxState>);
  state.exportJobs.clear();
  state.systemUser.uuid = server.systemUser;
  const ids = recordedPatientIds(server.version);
  for (let number = 1; number <= count; number += 1) {
    records.put(
      buildPatient({
        id: ids[number - 1] ?? furtherIds[number] ?? crypto.randomUUID(),
        lastUpdatedMs: server.createdMs,
        publicId: String(number),
        family: FAMILIES[number % FAMILIES.length] ?? '',
        given: [`Test${number}`],
        gender: number % 2 === 0 ? 'female' : 'male',
        birthDate: recordedBirthDate(number),
        email: `t${number}@example.org`,
        address: {
          street: `${number} Main St`,
          city: 'Springfield',
          state: 'MA',
          postalCode: '01101',
        },
      }),
    );
  }
}

/** 1951-02-02, 1952-03-03 and so on. */
function recordedBirthDate(number: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${1950 + (number % 60)}-${two((number % 12) + 1)}-${two((number % 28) + 1)}`;
}
