/** Cases of bulk export. */
import type { CaseTable, ConformanceCase } from './cases.ts';
import { loadRecordedData } from './recorded-data.ts';
import { CLIENTS } from './stage.ts';
import type { Replay, Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** Job of the recorded kick-off, and how many files the server had stored before. */
const RECORDED_JOB = 'a34bc960-240c-454d-b830-01d13b2e7557';
const FILES_BEFORE = 64;
const SCOPES =
  'system/Patient.read system/Observation.read system/Encounter.read system/Practitioner.read system/Organization.read system/Group.read system/Binary.read system/DocumentReference.read system/Condition.read system/Location.read system/Patient.$export system/*.$bulkdata-status';

const plain: ConformanceCase = { prepare: (stage) => loadRecordedData(stage) };

/** A kick-off: the job in the answer's Content-Location is a new one each time. */
const kickOff: ConformanceCase = {
  ...plain,
  compare: { normaliseField: (value) => value.replace(/(?<=\?job=)[0-9a-f-]{36}$/, '<job>') },
};

/** The id of an OperationOutcome is a new one each time. */
const outcome: ConformanceCase = {
  ...plain,
  compare: { normaliseBody: (body) => ({ ...(body as object), id: '<id>' }) },
};

/** Something about the recorded job, which a kick-off before it makes. */
const afterKickOff = (
  then?: (stage: Stage, transcript: Transcript, bearer: string) => Promise<unknown>,
): ConformanceCase => ({
  ...plain,
  run: async (stage, transcript): Promise<Replay> => {
    const bearer = await startRecordedExport(stage);
    await then?.(stage, transcript, bearer);
    return stage.replay(transcript, { bearer });
  },
});

/** By number of the transcript. */
export const EXPORT_CASES: CaseTable = {
  431: outcome,
  433: outcome,
  435: kickOff,
  436: kickOff,
  438: kickOff,
  439: kickOff,
  440: plain,
  441: plain,
  444: afterKickOff(),
  448: outcome,
  449: afterKickOff(),
  451: afterKickOff(),
  452: plain,
  454: plain,
  455: afterKickOff(),
  457: afterKickOff((stage, transcript, bearer) => deleteExport(stage, transcript, bearer)),
};

/**
 * Runs `Patient/$export` as the recorded one.
 *
 * @param filesBefore stored files that the server numbers first
 * @returns the token that it ran with
 */
export async function startRecordedExport(
  stage: Stage,
  filesBefore = FILES_BEFORE,
): Promise<string> {
  const { state, url } = stage.sandbox;
  for (let number = 1; number <= filesBefore; number += 1) {
    state.records.addDocument({ fileName: 'earlier', mimeType: 'text/plain', content: '' });
  }
  const bearer = await stage.issueToken(CLIENTS.main, SCOPES);
  const response = await fetch(`${url}/apis/default/fhir/Patient/$export`, {
    headers: {
      Authorization: `Bearer ${bearer}`,
      Accept: 'application/fhir+json',
      Prefer: 'respond-async',
    },
  });
  const location = response.headers.get('content-location') ?? '';
  nameJobAsRecorded(stage, location.split('job=').at(-1) ?? '');
  return bearer;
}

/** Gives the job the id of the recorded one, as the recorded requests name it. */
function nameJobAsRecorded({ sandbox: { state } }: Stage, id: string): void {
  const job = state.exportJobs.get(id);
  if (job === undefined) throw new Error('the kick-off made no job');
  state.exportJobs.delete(id);
  state.exportJobs.set(RECORDED_JOB, { ...job, id: RECORDED_JOB });
  for (const { document } of job.files) {
    document.fileName = document.fileName.replace(id, RECORDED_JOB);
  }
}

async function deleteExport({ sandbox }: Stage, _transcript: Transcript, bearer: string) {
  const url = `${sandbox.url}/apis/default/fhir/$bulkdata-status?job=${RECORDED_JOB}`;
  const headers = { Authorization: `Bearer ${bearer}` };
  return fetch(url, { method: 'DELETE', headers });
}
