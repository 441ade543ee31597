/** Search and read. */
import type { SandboxAnswer } from '../exchange.ts';
import { refuseApi } from '../refusal.ts';
import { buildSearchBundle } from './bundle.ts';
import { answerJson, present } from './call.ts';
import type { FhirCall } from './call.ts';
import { PhpMemoryError, SearchFieldError } from './errors.ts';
import type { ResourceType } from './resource-types.ts';
import type { Resource } from './resource.ts';
import { assertUuid, searchResources } from './search.ts';

/**
 * Resources that PHP can hold at once with its limit of 256 MiB: a search or an export of more dies.
 * Seen to live with 2,012 and to die with 10,012.
 */
const MOST_RESOURCES = 5000;

/** `GET /Patient`, `POST /Patient/_search`. What cannot be searched for comes back as no entries. */
export function answerSearch(call: FhirCall, type: ResourceType): SandboxAnswer {
  const { state, parameters, restrictions, selfUrl, nowMs } = call;
  let found: readonly Resource[];
  try {
    const visible = searchResources(type, state.records.list(type.name), restrictions);
    found = searchResources(type, visible, parameters);
  } catch (error) {
    if (!(error instanceof SearchFieldError)) throw error;
    logProblem(call, type, error, 'search');
    found = [];
  }
  assertFitsMemory(found.length);
  const entries = found.map((resource) => present(call, resource));
  return answerJson(call, buildSearchBundle(entries, selfUrl, nowMs), 'bundle');
}

/** `GET /Patient/:uuid`. */
export function answerRead(call: FhirCall, type: ResourceType): SandboxAnswer {
  const { request, state, route, restrictions } = call;
  const id = route.parameter ?? '';
  try {
    assertUuid(id);
  } catch (error) {
    if (!(error instanceof SearchFieldError)) throw error;
    logProblem(call, type, error, 'read');
    return refuseApi(request, state, 'search-refused', {
      field: error.field,
      message: error.message,
    });
  }
  const stored = state.records.find(type.name, id);
  const [resource] = stored === undefined ? [] : searchResources(type, [stored], restrictions);
  if (resource === undefined) return refuseApi(request, state, 'resource-missing');
  return answerJson(call, present(call, resource), 'resource');
}

/** @throws PhpMemoryError when PHP could not hold so many resources */
export function assertFitsMemory(count: number): void {
  if (count > MOST_RESOURCES) throw new PhpMemoryError();
}

function logProblem(
  { request, state }: FhirCall,
  { name, service }: ResourceType,
  { field, message }: SearchFieldError,
  by: 'search' | 'read',
): void {
  request.log.write(state.version.fhir.searchProblem({ type: name, service, field, message, by }));
}
