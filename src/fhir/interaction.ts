/**
 * What a request asks for in FHIR's own terms (FHIR R4, RESTful API), read from its method and path
 * alone. Labels made here hold no id and no parameter value, so they may be logged.
 */

/** Name of an interaction, as FHIR's `http.html` calls it; `operation` covers every `$name`. */
export type InteractionName =
  | 'capabilities'
  | 'discovery'
  | 'read'
  | 'vread'
  | 'history'
  | 'search'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'operation'
  | 'batch'
  | 'other';

/** A request seen as a FHIR interaction. */
export interface Interaction {
  name: InteractionName;
  /** Resource type, when the path names one and it looks like one (`[A-Z][A-Za-z]*`). */
  resourceType?: string;
  /** Name of the operation with its `$`, when `name` is `operation`; {@link UNKNOWN_OPERATION} when it has no proper name. */
  operation?: string;
  /** What people see: `search Patient`, `read Observation`, `$export`, `Patient/$everything`. */
  label: string;
  /** Whether no token is needed: OpenEMR answers it without one. */
  open: boolean;
  /** Whether it can change data on the server. */
  writes: boolean;
}

const RESOURCE_TYPE = /^[A-Z][A-Za-z]{1,63}$/;
/** A well-formed operation name; only such a one is shown. */
const OPERATION = /^\$[a-z][\w.-]{0,63}$/i;
/** Stands for an operation whose name is not valid, or for several in one path. */
export const UNKNOWN_OPERATION = '$…';

/** Operations that only read, also with `POST`. */
const READING_OPERATIONS = new Set([
  '$export',
  '$bulkdata-status',
  '$everything',
  '$expand',
  '$lookup',
  '$validate-code',
  '$validate',
  '$lastn',
  '$match',
  '$meta',
]);

/**
 * @param method request method, upper-case
 * @param path path below the FHIR base, with or without the leading slash, without query; still percent-encoded
 */
export function parseInteraction(method: string, path: string): Interaction {
  const segments = path.split('/').filter((segment) => segment !== '');
  const [first = '', second, third] = segments.map(decodeDollar);
  const reads = method === 'GET' || method === 'HEAD';

  if (first === 'metadata' && segments.length === 1) {
    return interaction('capabilities', { open: reads, writes: !reads });
  }
  if (first === '.well-known') return interaction('discovery', { open: reads, writes: !reads });

  // Whatever begins with "$", at any depth: a server decides by that alone.
  const operations = segments.map(decodeDollar).filter((segment) => segment.startsWith('$'));
  const resourceType = RESOURCE_TYPE.test(first) ? first : undefined;
  const last = segments.length > 3 ? undefined : (third ?? second ?? first);
  if (operations.length > 0) {
    const [only = ''] = operations;
    const isNamed = operations.length === 1 && OPERATION.test(only);
    const operation = isNamed ? only : UNKNOWN_OPERATION;
    // An operation that changes state cannot be called with GET (FHIR R4, Operations).
    const asks = method === 'POST' && operation === last && READING_OPERATIONS.has(operation);
    return interaction('operation', { resourceType, operation, writes: !reads && !asks });
  }
  if (segments.length === 0) {
    if (method === 'POST') return interaction('batch', { writes: true });
    return interaction(reads ? 'search' : 'other', { writes: !reads });
  }
  if (segments.length === 1 && first === '_search' && method === 'POST') {
    return interaction('search', { writes: false });
  }
  if (segments.length === 1 && first === '_history' && reads) {
    return interaction('history', { writes: false });
  }
  if (resourceType === undefined) return interaction('other', { writes: !reads });
  return resourceInteraction(method, resourceType, segments);
}

function resourceInteraction(
  method: string,
  resourceType: string,
  segments: readonly string[],
): Interaction {
  const [, second, third] = segments;
  if (method === 'POST') {
    // `Patient/_search`, and within a compartment `Patient/123/Observation/_search`.
    const searches = segments.at(-1) === '_search' && segments.length % 2 === 0;
    if (!searches || segments.length > 4)
      return interaction('create', { resourceType, writes: true });
    const searched = third !== undefined && RESOURCE_TYPE.test(third) ? third : resourceType;
    return interaction('search', { resourceType: searched, writes: false });
  }
  if (method === 'PUT') return interaction('update', { resourceType, writes: true });
  if (method === 'PATCH') return interaction('patch', { resourceType, writes: true });
  if (method === 'DELETE') return interaction('delete', { resourceType, writes: true });
  if (method !== 'GET' && method !== 'HEAD')
    return interaction('other', { resourceType, writes: true });
  if (second === undefined || second === '_search') {
    return interaction('search', { resourceType, writes: false });
  }
  if (second === '_history') return interaction('history', { resourceType, writes: false });
  if (third === undefined) return interaction('read', { resourceType, writes: false });
  if (third === '_history' && segments.length <= 4) {
    const name = segments.length === 3 ? 'history' : 'vread';
    return interaction(name, { resourceType, writes: false });
  }
  // A second resource type is a compartment search: Patient/123/Observation.
  return RESOURCE_TYPE.test(third) && segments.length === 3
    ? interaction('search', { resourceType: third, writes: false })
    : interaction('other', { resourceType, writes: false });
}

function interaction(
  name: InteractionName,
  rest: {
    resourceType?: string | undefined;
    operation?: string;
    open?: boolean;
    writes: boolean;
  },
): Interaction {
  const { resourceType, operation, open = false, writes } = rest;
  return {
    name,
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(operation === undefined ? {} : { operation }),
    label: label(name, resourceType, operation),
    open,
    writes,
  };
}

function label(name: InteractionName, resourceType?: string, operation?: string): string {
  if (operation !== undefined) return resourceType ? `${resourceType}/${operation}` : operation;
  return resourceType === undefined ? name : `${name} ${resourceType}`;
}

function decodeDollar(segment: string): string {
  return segment.startsWith('%24') ? `$${segment.slice(3)}` : segment;
}
