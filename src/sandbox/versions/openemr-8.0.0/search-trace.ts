/** The line that OpenEMR 8.0.0 writes of a parameter that a search or a read did not take. */
import type { LogMessage } from '../failure.ts';
import { type PhpFrame, phpTrace } from '../php.ts';
import type { SearchProblem } from '../profile.ts';
import { applicationTrace, routeTrace } from './errors.ts';

/** Where the FHIR routes stand. */
export const ROUTES_FILE = 'apis/routes/_rest_routes_fhir_r4_us_core_3_1_0.inc.php';

const NAMESPACE = 'OpenEMR\\Services\\FHIR';
const BASE_SERVICE = 'src/Services/FHIR/FhirServiceBase.php';
const EXPORT_FILE = 'src/RestControllers/FHIR/Operations/FhirOperationExportRestController.php';

/** @returns the line, its stack trace included */
export function searchProblem(problem: SearchProblem): LogMessage {
  return {
    level: 'ERROR',
    message: `${NAMESPACE}\\${problem.service}->getAll() exception thrown`,
    context: {
      message: reword(problem.message),
      field: problem.field,
      trace: phpTrace(framesOf(problem)),
    },
  };
}

/** This version has corrected the number of the standard in one of its messages. */
export function reword(message: string): string {
  return message.replace('ISO8610', 'ISO8601');
}

/** Calls that lead to the problem, the innermost first. Lines of the routes are those of Patient. */
function framesOf({ type, by }: SearchProblem): PhpFrame[] {
  const getAll = `${NAMESPACE}\\FhirServiceBase->getAll`;
  const getOne = `${NAMESPACE}\\FhirServiceBase->getOne`;
  const controller = `OpenEMR\\RestControllers\\FHIR\\Fhir${type}RestController`;
  const file = `src/RestControllers/FHIR/Fhir${type}RestController.php`;
  const first: PhpFrame = [
    BASE_SERVICE,
    255,
    `${NAMESPACE}\\FhirServiceBase->createOpenEMRSearchParameters`,
  ];
  if (by === 'export') {
    const group = `${NAMESPACE}\\FhirGroupService`;
    return [
      first,
      ['src/Services/FHIR/Traits/MappedServiceTrait.php', 87, getAll],
      [
        'src/Services/FHIR/FhirGroupService.php',
        76,
        `${group}->searchAllServicesWithSupportedFields`,
      ],
      [BASE_SERVICE, 232, `${group}->getAll`],
      [EXPORT_FILE, 660, getOne],
      ...applicationTrace('apis/dispatch.php'),
    ];
  }
  if (by === 'search') {
    return [
      first,
      [file, 149, getAll],
      ...routeTrace([ROUTES_FILE, 4911, `${controller}->getAll`]),
    ];
  }
  return [
    first,
    [BASE_SERVICE, 232, getAll],
    [file, 125, getOne],
    ...routeTrace([ROUTES_FILE, 5103, `${controller}->getOne`]),
  ];
}
