/** How the FHIR routes of OpenEMR 8.0.0 fail. */
import type { Failure, FailureDetail, FhirFailureName } from '../failure.ts';
import {
  exportOutcome,
  exportRefusedLine,
  jobNotFound,
  SHARED_FHIR_FAILURES,
} from '../fhir-failures.ts';
import { phpMemoryExhausted } from '../php.ts';
import { applicationTrace, exception, routeTrace } from './errors.ts';
import { reword, ROUTES_FILE } from './search-trace.ts';

const SEARCH = 'OpenEMR\\Services\\Search';
const EXPORT_CONTROLLER =
  'OpenEMR\\RestControllers\\FHIR\\Operations\\FhirOperationExportRestController';
const EXPORT_FILE = 'src/RestControllers/FHIR/Operations/FhirOperationExportRestController.php';

/** By name of the failure. */
export const FHIR_FAILURES: Record<FhirFailureName, (detail: FailureDetail) => Failure> = {
  ...SHARED_FHIR_FAILURES,
  'export-refused': ({ message = '' }) => ({
    // What the scopes do not cover is a 401; a field that is not as it must be is a 400.
    status: message.startsWith('AccessToken') ? 401 : 400,
    body: exportOutcome(message),
    plainJson: true,
  }),
  'export-job-unknown': (detail) => ({
    status: 404,
    body: exportOutcome('The job id you submitted was not found'),
    log: [jobNotFound(detail), exportRefusedLine(detail)],
  }),
  'export-delete-unknown': (detail) => ({
    status: 404,
    body: exportOutcome('The job id you submitted was not found'),
    log: [jobNotFound(detail), exportRefusedLine(detail)],
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
