/**
 * Bulk export: kick-off, status, deletion, and the files. An export runs inside its kick-off, so that
 * its status is never "in progress".
 */
import type { SandboxAnswer } from '../exchange.ts';
import { apiAnswer } from '../fields.ts';
import { phpJson } from '../php-json.ts';
import { refuseApi } from '../refusal.ts';
import { answerEmpty, present } from './call.ts';
import type { FhirCall } from './call.ts';
import { PhpFatalError } from './errors.ts';
import { exportableTypes, releaseExpiredFiles, writeExportFiles } from './export-job.ts';
import type { ExportJob, ExportScope } from './export-job.ts';
import { buildOrderedUuid, isUuid } from './ordered-uuid.ts';
import { assertFitsMemory } from './read.ts';
import { asArray, asObject } from './resources/parse.ts';
import { parseDateRange } from './search-date.ts';
import { referencedId } from './search-values.ts';
import { BAD_ID_MESSAGE } from './search.ts';

/** `GET /$export`, `/Patient/$export`, `/Group/:id/$export`. */
export function answerKickOff(call: FhirCall): SandboxAnswer {
  const { request, state, access, nowMs } = call;
  if (!state.settings.systemScopes) return refuseApi(request, state, 'export-off');
  const sinceMs = parseSince(call.parameters.get('_since')?.at(-1));
  // Byte for byte: a list, a parameter or another case is refused.
  if (request.headers['accept'] !== 'application/fhir+json') {
    return refuseApi(request, state, 'export-refused', { message: "'Accept' header invalid" });
  }
  if (request.headers['prefer'] !== 'respond-async') {
    return refuseApi(request, state, 'export-refused', { message: "'Prefer' header invalid" });
  }
  const types = chooseTypes(call);
  if (typeof types === 'string') {
    return refuseApi(request, state, 'export-refused', { message: types });
  }
  for (const type of types) assertFitsMemory(state.records.list(type).length);
  releaseExpiredFiles(state.exportJobs.values(), nowMs);

  const id = buildOrderedUuid(nowMs, Math.random);
  const scope: ExportScope = { types, sinceMs, ...groupMembers(call) };
  const files = writeExportFiles(state.records, { id, startedAtMs: nowMs }, scope, (resource) =>
    phpJson(present(call, resource)),
  );
  state.exportJobs.set(id, {
    id,
    clientId: access?.clientId ?? '',
    startedAtMs: nowMs,
    request: state.version.fhir.exportRequest(request),
    files,
  });
  return answerEmpty(call, 202, {
    fields: [['Content-Location', `${call.apiBase}/fhir/$bulkdata-status?job=${id}`]],
    contentType: 'application/json',
  });
}

/** `GET /$bulkdata-status?job=`. */
export function answerExportStatus(call: FhirCall): SandboxAnswer {
  const { request, state, apiBase } = call;
  const job = findJob(call);
  if (job === undefined) {
    return refuseApi(request, state, 'export-job-unknown', jobDetail(call));
  }
  const body = {
    // A PHP DateTime, not the instant that the specification asks for.
    transactionTime: {
      date: `${new Date(job.startedAtMs).toISOString().slice(0, 19).replace('T', ' ')}.000000`,
      timezone_type: 3,
      timezone: 'UTC',
    },
    request: job.request,
    requiresAccessToken: true,
    output: job.files.map(({ type, document }) => ({
      url: `${apiBase}/fhir/Binary/${document.id}`,
      type,
    })),
    error: [],
  };
  return apiAnswer(request, state, { status: 200, body: phpJson(body) });
}

/** `DELETE /$bulkdata-status?job=`. Its files go with it. */
export function answerExportDelete(call: FhirCall): SandboxAnswer {
  const { request, state } = call;
  const job = findJob(call);
  if (job === undefined) {
    return refuseApi(request, state, 'export-delete-unknown', jobDetail(call));
  }
  for (const { document } of job.files) Object.assign(document, { deleted: true, content: '' });
  state.exportJobs.delete(job.id);
  return answerEmpty(call, 202);
}

/** `GET /Binary/:id`: a file of an export, or the content of a document. */
export function answerBinary(call: FhirCall): SandboxAnswer {
  const { request, state, route, nowMs } = call;
  const document = state.records.findDocument(Number.parseInt(route.parameter ?? '', 10));
  const expired = document?.expiresAtMs !== undefined && document.expiresAtMs <= nowMs;
  if (document?.deleted === true || expired) return refuseApi(request, state, 'document-gone');
  const fields = state.version.http.fileFields(request, nowMs, document?.fileName ?? '');
  // A number that no file has is a success, too: an empty file without a name and a type.
  if (document !== undefined) fields.push(['Content-Type', document.mimeType]);
  return { status: 200, fields, body: document?.content ?? '' };
}

function parseSince(since: string | undefined): number {
  if (since === undefined || since === '') return 0;
  const range = parseDateRange(since);
  if (typeof range === 'string') {
    throw new PhpFatalError('crash-since', range);
  }
  return range.lowMs;
}

/** @returns the types to export, or OpenEMR's words for why there are none */
function chooseTypes({ access, parameters }: FhirCall): readonly string[] | string {
  const granted = exportableTypes(access?.scopes ?? []);
  // The specification's own name, `_type`, is not read.
  const wanted = parameters.get('type')?.at(-1) ?? '';
  if (wanted !== '') {
    const types = wanted.split(',');
    const refused = types.find((type) => !granted.includes(type));
    return refused === undefined
      ? types
      : `AccessToken does not grant access to resource ${refused}`;
  }
  return granted.length > 0
    ? granted
    : 'AccessToken does grant access to any supported system resources';
}

function groupMembers({ request, route, state }: FhirCall): Pick<ExportScope, 'patientIds'> {
  if (route.resource !== 'Group') return {};
  const { fhir } = state.version;
  const type = fhir.types.find(({ name }) => name === 'Group');
  if (fhir.logsBadGroup && type !== undefined && !isUuid(route.parameter ?? '')) {
    const { service } = type;
    const problem = { type: type.name, service, field: '_id', message: BAD_ID_MESSAGE };
    request.log.write(fhir.searchProblem({ ...problem, by: 'export' }));
  }
  const group = state.records.find('Group', route.parameter ?? '');
  const members = asArray(group?.member).map((member) => asObject(member).entity ?? null);
  return { patientIds: members.flatMap((entity) => referencedId(entity) ?? []) };
}

/** The job of the `job` parameter, when it is of the client that asks. */
function findJob({ state, access, parameters }: FhirCall): ExportJob | undefined {
  const job = state.exportJobs.get(parameters.get('job')?.at(-1) ?? '');
  return job?.clientId === access?.clientId ? job : undefined;
}

function jobDetail({ state, access, parameters }: FhirCall) {
  return {
    job: parameters.get('job')?.at(-1) ?? '',
    client: access?.clientId ?? '',
    user: state.systemUser.uuid,
  };
}
