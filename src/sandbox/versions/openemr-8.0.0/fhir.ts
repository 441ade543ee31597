/** What OpenEMR 8.0.0 does at the FHIR endpoints that other versions do differently. */
import { phpWarning } from '../php.ts';
import type { FhirRules, ScopedRoute } from '../profile.ts';
import { CAPABILITIES, smartConfiguration } from './documents.ts';
import { present } from './presentation.ts';
import { RESOURCE_TYPES } from './resource-types.ts';
import { searchProblem } from './search-trace.ts';

/** Rules of the FHIR endpoints. */
export const FHIR_RULES: FhirRules = {
  types: RESOURCE_TYPES,
  requiredScope,
  searchProblem,
  escapesSlashes: new Set([
    'resource',
    'bundle',
    'capabilities',
    'smart-configuration',
    'operation-definitions',
  ]),
  present,
  capabilities: CAPABILITIES,
  smartConfiguration,
  capabilitiesWarning: phpWarning(
    'Undefined array key "version"',
    'src/RestControllers/FHIR/FhirMetaDataRestController.php',
    84,
  ),
  exportRequest: ({ site, resource, query }) =>
    `/apis/dispatch.php/${site}/fhir${resource}${query === '' ? '' : `?${query}`}`,
  logsBadGroup: true,
};

/** One letter for each interaction (SMART App Launch 2.2): search s, read r, create c, update u. */
function requiredScope({ method, resource, operation, parameter }: ScopedRoute): string {
  const reading = parameter === undefined ? 's' : 'r';
  const letter = { POST: 'c', PUT: 'u', DELETE: 'd' }[method] ?? reading;
  return `system/${resource ?? '*'}.${operation ?? letter}`;
}
