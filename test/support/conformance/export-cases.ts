/** Cases of bulk export. */
import type { CaseTable, ConformanceCase } from './cases.ts';
import { loadRecordedData } from './recorded-data.ts';
import type { Replay, Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

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
  432: outcome,
  433: outcome,
  435: kickOff,
  436: kickOff,
  437: kickOff,
  438: kickOff,
  439: kickOff,
  440: plain,
  441: plain,
  443: kickOff,
  444: afterKickOff(),
  448: outcome,
  449: afterKickOff(),
  450: afterKickOff(),
  451: afterKickOff(),
  452: plain,
  453: afterKickOff(),
  454: plain,
  455: afterKickOff(),
  456: { ...outcome, ...afterKickOff(deleteExport) },
  457: afterKickOff(deleteExport),
};

/**
 * Runs `Patient/$export` as the recorded one.
 *
 * @param filesBefore stored files that the server numbers first
 * @returns the token that it ran with
 */
export async function startRecordedExport(
  stage: Stage,
  filesBefore = stage.server.exportJob.filesBefore,
): Promise<string> {
  const { state, url } = stage.sandbox;
  for (let number = 1; number <= filesBefore; number += 1) {
    state.records.addDocument({ fileName: 'earlier', mimeType: 'text/plain', content: '' });
  }
  const bearer = await stage.issueToken(stage.server.clients.main, SCOPES);
  const response = await fetch(
    `${url}/apis/default/fhir/Patient/$export${stage.server.exportJob.query}`,
    {
      headers: {
        Authorization: `Bearer ${bearer}`,
        Accept: 'application/fhir+json',
        Prefer: 'respond-async',
      },
    },
  );
  const location = response.headers.get('content-location') ?? '';
  nameJobAsRecorded(stage, location.split('job=').at(-1) ?? '');
  return bearer;
}

/** Gives the job the id of the recorded one, as the recorded requests name it. */
function nameJobAsRecorded({ server, sandbox: { state } }: Stage, id: string): void {
  const recorded = server.exportJob.id;
  const job = state.exportJobs.get(id);
  if (job === undefined) throw new Error('the kick-off made no job');
  state.exportJobs.delete(id);
  state.exportJobs.set(recorded, { ...job, id: recorded });
  for (const { document } of job.files) {
    document.fileName = document.fileName.replace(id, recorded);
  }
}

async function deleteExport({ sandbox, server }: Stage, _transcript: Transcript, bearer: string) {
  const url = `${sandbox.url}/apis/default/fhir/$bulkdata-status?job=${server.exportJob.id}`;
  const headers = { Authorization: `Bearer ${bearer}` };
  return fetch(url, { method: 'DELETE', headers });
}
