/** What OpenEMR 7.0.3 does at the FHIR endpoints that other versions do differently. */
import { randomUUID } from 'node:crypto';

import { phpFatal, phpMemoryExhausted } from '../php.ts';
import type { Failure, FailureDetail, FhirFailureName, FhirRules, LogMessage } from '../profile.ts';
import { empty } from './failures.ts';

/** Rules of the FHIR endpoints. */
export const FHIR_RULES: FhirRules = {
  // One scope for search and read, one for everything that writes; the letters of v2 are unknown.
  requiredScope: ({ resource, operation, method }) =>
    `system/${resource ?? '*'}.${operation ?? (method === 'GET' ? 'read' : 'write')}`,
  escapesSlashes: new Set(['operation-definitions']),
};

/** By name of the failure. */
export const FHIR_FAILURES: Record<FhirFailureName, (detail: FailureDetail) => Failure> = {
  'resource-missing': () => ({ status: 404, body: [] }),
  'search-refused': ({ field = '', message }) => ({
    status: 400,
    body: { validationErrors: { [field]: message } },
  }),
  'body-invalid': () => ({
    status: 400,
    body: {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'invalid', details: { text: 'resourceType Not Found' } }],
    },
  }),
  'row-invalid': ({ errors }) => ({ status: 400, body: { validationErrors: errors } }),
  'document-gone': () => empty(404),
  'export-off': () => empty(501),
  'export-refused': ({ message }) => ({ status: 400, body: outcome(message) }),
  'export-job-unknown': (detail) => ({
    status: 400,
    body: outcome('The job id you submitted was invalid'),
    log: [
      jobNotFound(detail),
      {
        level: 'ERROR',
        message: 'FhirExportRestController->processExport() invalid request',
        context: {
          jobUuid: detail.job,
          exception: `Export Job with jobId '${detail.job}' does not exist`,
        },
      },
    ],
  }),
  'export-delete-unknown': (detail) => ({
    ...empty(404),
    log: [
      jobNotFound(detail),
      {
        level: 'ERROR',
        message:
          'FhirExportRestController->processDeleteExportForJob failed to delete job for nonexistant job id',
        context: { job: detail.job },
      },
    ],
  }),
  'route-crashed': ({ message = '', file = '', line = 0 }) => ({
    ...empty(500),
    session: 'left',
    log: [phpFatal(message, file, line)],
  }),
  'memory-exhausted': () => ({
    ...empty(500),
    session: 'left',
    log: [phpMemoryExhausted('src/Common/Logging/EventAuditLogger.php', 564)],
  }),
};

function outcome(text = ''): Record<string, unknown> {
  return {
    id: randomUUID(),
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'processing', details: { text } }],
  };
}

function jobNotFound({ job, client, user }: FailureDetail): LogMessage {
  return {
    level: 'ERROR',
    message: 'FhirExportRestController->getJobForId() failed to find job',
    context: {
      jobUuid: job,
      sql: 'SELECT `id`, `uuid`, `start_time`, `resource_include_time`, `output_format`, `resources`, `client_id`, `user_id`, `access_token_id`, `status`, `request_uri`, `output`, `errors` FROM `export_job` WHERE `uuid` = ? AND `client_id`=? AND `user_id` = ? ',
      params: ['', client, user],
    },
  };
}
