/** What OpenEMR 7.0.3 does at the FHIR endpoints that other versions do differently. */
import type { Failure, FailureDetail, FhirFailureName } from '../failure.ts';
import {
  exportOutcome,
  exportRefusedLine,
  jobNotFound,
  SHARED_FHIR_FAILURES,
} from '../fhir-failures.ts';
import { phpFatal, phpMemoryExhausted, phpTrace } from '../php.ts';
import type { PhpFrame } from '../php.ts';
import type { FhirRules, SearchProblem } from '../profile.ts';
import { CAPABILITIES, smartConfiguration } from './documents.ts';
import { empty } from './failures.ts';
import { RESOURCE_TYPES } from './resource-types.ts';

/** Rules of the FHIR endpoints. */
export const FHIR_RULES: FhirRules = {
  types: RESOURCE_TYPES,
  // One scope for search and read, one for everything that writes; the letters of v2 are unknown.
  requiredScope: ({ resource, operation, method }) =>
    `system/${resource ?? '*'}.${operation ?? (method === 'GET' ? 'read' : 'write')}`,
  searchProblem: (problem) => ({
    level: 'ERROR',
    message: `OpenEMR\\Services\\FHIR\\${problem.service}->getAll() exception thrown`,
    context: {
      message: problem.message,
      field: problem.field,
      trace: phpTrace([...framesOf(problem), ...DISPATCH_FRAMES]),
    },
  }),
  escapesSlashes: new Set(['operation-definitions']),
  present: (resource) => resource,
  capabilities: CAPABILITIES,
  smartConfiguration,
  exportRequest: ({ resource }) => `/fhir${resource}`,
  logsBadGroup: false,
};

const NAMESPACE = 'OpenEMR\\Services\\FHIR';
const BASE_SERVICE = 'src/Services/FHIR/FhirServiceBase.php';
const DISPATCH_FRAMES: readonly PhpFrame[] = [
  ['src/Common/Http/HttpRestRouteHandler.php', 103, '{closure}'],
  ['apis/dispatch.php', 389, 'OpenEMR\\Common\\Http\\HttpRestRouteHandler::dispatch'],
];

/** Calls that lead to the problem, the innermost first. Lines of the routes are those of Patient. */
function framesOf({ type, service, by }: SearchProblem): PhpFrame[] {
  const getAll = `${NAMESPACE}\\FhirServiceBase->getAll`;
  const controller = `OpenEMR\\RestControllers\\FHIR\\Fhir${type}RestController`;
  const file = `src/RestControllers/FHIR/Fhir${type}RestController.php`;
  const first: PhpFrame = [
    BASE_SERVICE,
    211,
    `${NAMESPACE}\\FhirServiceBase->createOpenEMRSearchParameters`,
  ];
  if (service.includes('\\')) {
    // A type whose resources come from several services asks one after the other.
    const own = `${NAMESPACE}\\Fhir${type}Service`;
    return [
      first,
      ['src/Services/FHIR/Traits/MappedServiceTrait.php', 56, getAll],
      [`src/Services/FHIR/Fhir${type}Service.php`, 133, `${own}->searchAllServices`],
      [file, 52, `${own}->getAll`],
      ['_rest_routes.inc.php', 10_722, `${controller}->getAll`],
    ];
  }
  if (by === 'search') {
    return [first, [file, 108, getAll], ['_rest_routes.inc.php', 11_860, `${controller}->getAll`]];
  }
  return [
    first,
    [BASE_SERVICE, 188, getAll],
    [file, 84, `${NAMESPACE}\\FhirServiceBase->getOne`],
    ['_rest_routes.inc.php', 12_050, `${controller}->getOne`],
  ];
}

/** By name of the failure. */
export const FHIR_FAILURES: Record<FhirFailureName, (detail: FailureDetail) => Failure> = {
  ...SHARED_FHIR_FAILURES,
  'export-refused': ({ message = '' }) => ({ status: 400, body: exportOutcome(message) }),
  'export-job-unknown': (detail) => ({
    status: 400,
    body: exportOutcome('The job id you submitted was invalid'),
    log: [jobNotFound(detail), exportRefusedLine(detail)],
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
  'crash-since': ({ message = '' }) =>
    crash(`InvalidArgumentException: ${message}`, 'src/Services/Search/DateSearchField.php', 137),
  'crash-reference-url': () =>
    crash(
      'TypeError: OpenEMR\\Services\\Search\\FHIRSearchFieldFactory::getFhirUrlResolver(): Return value must be of type OpenEMR\\Services\\FHIR\\FhirUrlResolver, null returned',
      'src/Services/Search/FHIRSearchFieldFactory.php',
      58,
    ),
  'crash-negative-count': () =>
    crash(
      'InvalidArgumentException: Limit must be greater than or equal to 0',
      'src/Common/Database/QueryPagination.php',
      51,
    ),
  'memory-exhausted': () => ({
    ...empty(500),
    session: 'left',
    log: [phpMemoryExhausted('src/Common/Logging/EventAuditLogger.php', 564)],
  }),
};

function crash(exception: string, file: string, line: number): Failure {
  return { ...empty(500), session: 'left', log: [phpFatal(exception, file, line)] };
}
