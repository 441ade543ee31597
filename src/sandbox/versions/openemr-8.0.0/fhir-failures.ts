/** How the FHIR routes of OpenEMR 8.0.0 fail. */
import { randomUUID } from 'node:crypto';

import type { Failure, FailureDetail, FhirFailureName, LogMessage } from '../failure.ts';
import { phpMemoryExhausted } from '../php.ts';
import { applicationTrace, exception, routeTrace } from './errors.ts';
import { reword, ROUTES_FILE } from './search-trace.ts';

const SEARCH = 'OpenEMR\\Services\\Search';
const EXPORT_CONTROLLER =
  'OpenEMR\\RestControllers\\FHIR\\Operations\\FhirOperationExportRestController';
const EXPORT_FILE = 'src/RestControllers/FHIR/Operations/FhirOperationExportRestController.php';

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
  'document-gone': () => ({ status: 404, body: '' }),
  'export-off': () => ({ status: 501, body: '' }),
  'export-refused': ({ message = '' }) => ({
    // What the scopes do not cover is a 401; a field that is not as it must be is a 400.
    status: message.startsWith('AccessToken') ? 401 : 400,
    body: outcome(message),
    plainJson: true,
  }),
  'export-job-unknown': (detail) => ({
    status: 404,
    body: outcome('The job id you submitted was not found'),
    log: jobNotFound(detail),
  }),
  'export-delete-unknown': (detail) => ({
    status: 404,
    body: outcome('The job id you submitted was not found'),
    log: jobNotFound(detail),
  }),
  'crash-since': ({ message = '' }) =>
    exception(500, reword(message), [
      [
        'src/Services/Search/DateSearchField.php',
        110,
        `${SEARCH}\\DateSearchField->createDateComparableValue`,
      ],
      ['src/Services/Search/BasicSearchField.php', 46, `${SEARCH}\\DateSearchField->setValues`],
      ['src/Services/Search/DateSearchField.php', 82, `${SEARCH}\\BasicSearchField->__construct`],
      [EXPORT_FILE, 682, `${SEARCH}\\DateSearchField->__construct`],
      [EXPORT_FILE, 131, `${EXPORT_CONTROLLER}->parseFHIRInstant`],
      ...applicationTrace('apis/dispatch.php'),
    ]),
  'crash-reference-url': () => {
    const factory = `${SEARCH}\\FHIRSearchFieldFactory`;
    const file = 'src/Services/Search/FHIRSearchFieldFactory.php';
    return exception(
      500,
      `${factory}::getFhirUrlResolver(): Return value must be of type OpenEMR\\Services\\FHIR\\FhirUrlResolver, null returned`,
      [
        [file, 208, `${factory}->getFhirUrlResolver`],
        [file, 190, `${factory}->resolveReferenceRelativeUrl`],
        [file, 165, `${factory}->createReferenceFieldType`],
        [file, 110, `${factory}->createFieldForType`],
        [
          'src/Services/FHIR/Traits/ResourceServiceSearchTrait.php',
          129,
          `${factory}->buildSearchField`,
        ],
        ...applicationTrace('apis/dispatch.php'),
      ],
    );
  },
  'crash-negative-count': () =>
    exception(500, 'Limit must be greater than or equal to 0', [
      [
        'src/Common/Database/QueryPagination.php',
        51,
        'OpenEMR\\Common\\Database\\QueryPagination->setLimit',
      ],
      [
        'src/Services/Search/SearchQueryConfig.php',
        52,
        'OpenEMR\\Common\\Database\\QueryPagination->__construct',
      ],
      [
        'src/Services/FHIR/FhirServiceBase.php',
        264,
        `${SEARCH}\\SearchQueryConfig::createFhirConfigFromSearchParams`,
      ],
      [
        'src/RestControllers/FHIR/FhirPatientRestController.php',
        149,
        'OpenEMR\\Services\\FHIR\\FhirServiceBase->getAll',
      ],
      ...routeTrace([
        ROUTES_FILE,
        4911,
        'OpenEMR\\RestControllers\\FHIR\\FhirPatientRestController->getAll',
      ]),
    ]),
  'memory-exhausted': () => ({
    status: 500,
    body: '',
    log: [phpMemoryExhausted('src/Common/Logging/EventAuditLogger.php', 564)],
  }),
};

function outcome(text: string): Record<string, unknown> {
  return {
    id: randomUUID(),
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'processing', details: { text } }],
  };
}

function jobNotFound({ job, client, user }: FailureDetail): LogMessage[] {
  return [
    {
      level: 'ERROR',
      message: 'FhirExportRestController->getJobForId() failed to find job',
      context: {
        jobUuid: job,
        sql: 'SELECT `id`, `uuid`, `start_time`, `resource_include_time`, `output_format`, `resources`, `client_id`, `user_id`, `access_token_id`, `status`, `request_uri`, `output`, `errors` FROM `export_job` WHERE `uuid` = ? AND `client_id`=? AND `user_id` = ? ',
        params: ['', client, user],
      },
    },
    {
      level: 'ERROR',
      message: 'FhirExportRestController->processExport() invalid request',
      context: { jobUuid: job, exception: `Export Job with jobId '${job}' does not exist` },
    },
  ];
}
