/** Failures of the FHIR routes that look the same in every version of OpenEMR, and parts of others. */
import { randomUUID } from 'node:crypto';

import type { Failure, FailureDetail, FhirFailureName, LogMessage } from './failure.ts';

/** By name of the failure. */
export const SHARED_FHIR_FAILURES = {
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
  'document-gone': () => ({ status: 404, body: '' }),
  'export-off': () => ({ status: 501, body: '' }),
} satisfies Partial<Record<FhirFailureName, (detail: FailureDetail) => Failure>>;

/** The OperationOutcome of a failed export. */
export function exportOutcome(text: string): Record<string, unknown> {
  return {
    id: randomUUID(),
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'processing', details: { text } }],
  };
}

/** The line about a job of an export that this client does not have. */
export function jobNotFound({ job, client, user }: FailureDetail): LogMessage {
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

/** The line in which the controller reports that it has refused the request about that job. */
export function exportRefusedLine({ job }: FailureDetail): LogMessage {
  return {
    level: 'ERROR',
    message: 'FhirExportRestController->processExport() invalid request',
    context: { jobUuid: job, exception: `Export Job with jobId '${job}' does not exist` },
  };
}
