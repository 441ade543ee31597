/** What the FHIR request asks for or carries: ids, search parameters, resources. */
import type { Answer } from '../answer.ts';
import { withoutValues } from '../excerpt.ts';
import { bare, wrapped } from './answers.ts';
import { comesFromFhir } from './circumstances.ts';
import type { CatalogueEntry } from './entry.ts';

const isBundle = ({ json }: Answer): boolean => json?.['resourceType'] === 'Bundle';
/** Parameters of FHIR that OpenEMR takes for unknown search fields, and paging of other servers. */
const UNKNOWN_PARAMETERS = new Set([
  '_format',
  '_summary',
  '_elements',
  '_include',
  '_total',
  '_pretty',
  '_contained',
  '_limit',
  'page',
]);

/** Entries about what the request asks for or carries. */
export const SEARCH_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'fhir-bad-id',
    title: 'There is no record with this id',
    cause:
      'OpenEMR found no record of this type with that id, or what stands in its place is no id: ids are UUIDs as a search gives them, and GET …/_search is read as an id.',
    fix: 'Take the id from a search, such as GET Patient?name=…; use POST for _search.',
    versions: 'all',
    stages: ['fhir'],
    log: [
      /->getAll\(\) exception thrown \{"message":"[^"]*must be a valid UUID string","field":"_id"/,
    ],
    answers: [
      { status: 200 },
      { status: 404, text: /^\[\]$/, proves: 'certain' },
      { status: 400, text: /^\{"validationErrors"\s*:\s*\{"_id"/, proves: 'certain' },
    ],
    circumstances: ({ interaction }, { status, text }) =>
      interaction?.name === 'read' && status === 400 && text.startsWith('{"validationErrors"')
        ? { certainty: 'certain', says: 'a read that is refused with "validationErrors"' }
        : undefined,
  },
  {
    id: 'fhir-search-param',
    title: 'OpenEMR does not understand a search parameter',
    cause:
      'For a parameter that it does not know, or a value that it cannot read, OpenEMR answers 200 with an empty Bundle. That concerns _format, _summary, _include, _elements, _total and paging of other servers as well.',
    fix: 'Leave the parameter out, or compare it with "searchParam" of the resource in <FHIR base>/metadata; _count and _offset page, JSON is the only format.',
    versions: 'all',
    stages: ['fhir'],
    companion: true,
    log: [
      /->getAll\(\) exception thrown \{"message":"(?<why>[^"]*)","field":"(?<field>(?!_id")[^"]*)"/,
    ],
    answers: [{ status: 200 }, { status: 400, text: /^\{"validationErrors"/ }],
    circumstances: ({ stage, parameterNames = [] }, answer) => {
      if (stage !== 'fhir' || answer.status !== 200 || !isBundle(answer)) return undefined;
      if (answer.json?.['total'] !== 0) return undefined;
      const unknown = parameterNames.filter((name) => UNKNOWN_PARAMETERS.has(name));
      return unknown.length > 0
        ? `an empty Bundle, and the query has ${unknown.join(', ')}`
        : undefined;
    },
    specify({ match }) {
      const { field, why } = match?.groups ?? {};
      if (field === undefined) return {};
      const reason = withoutValues(why?.split('Inner message: ').at(-1) ?? '').replace(/\.$/, '');
      return {
        cause: `OpenEMR could not use the search parameter "${field}": ${reason}. It then answers 200 with an empty Bundle, as if nothing had been found.`,
      };
    },
  },
  {
    id: 'fhir-validation-failed',
    title: 'OpenEMR refuses the resource',
    cause:
      'The resource lacks elements that OpenEMR requires, or is not of the type that the path names.',
    fix: 'Read "validationErrors" in the body: each member names a field of OpenEMR and what it wants there; a Patient needs name (family and given), gender and birthDate.',
    versions: 'all',
    stages: ['fhir'],
    // A read carries no resource that could be refused.
    applies: ({ interaction, requestMethod }) =>
      interaction?.name !== 'read' && requestMethod !== 'GET',
    answers: [{ status: 400, text: /^\{"validationErrors"\s*:\s*\{"(?!_id")/, proves: 'certain' }],
    specify({ answer }) {
      const errors = answer.json?.['validationErrors'];
      const fields = typeof errors === 'object' && errors !== null ? Object.keys(errors) : [];
      return fields.length === 0
        ? {}
        : {
            cause: `OpenEMR misses or refuses: ${fields.slice(0, 10).join(', ')} (its own names of the fields).`,
          };
    },
  },
  {
    id: 'fhir-body-not-json',
    title: 'The request body is no FHIR resource',
    cause: 'The body is empty, is not JSON, or has no "resourceType".',
    fix: 'Send the resource as JSON with "resourceType", and Content-Type application/fhir+json.',
    versions: '7.0.4 and later',
    stages: ['fhir'],
    answers: [{ status: 400, message: /^resourceType Not Found/, proves: 'certain' }],
  },
  {
    id: 'fhir-absolute-reference',
    title: 'An absolute URL in a search parameter breaks OpenEMR',
    cause:
      'References in search parameters must be relative; over an absolute one the server fails with 500.',
    fix: 'Write "patient=<id>" or "patient=Patient/<id>" instead of a URL.',
    versions: 'all',
    stages: ['fhir'],
    log: [/FHIRSearchFieldFactory::getFhirUrlResolver\(\): Return value must be/],
    answers: [bare(500), wrapped(500, /getFhirUrlResolver\(\): Return value must be/, 'certain')],
  },
  {
    id: 'fhir-count-invalid',
    title: '_count or _offset is negative',
    cause: 'A negative number there makes the database query of the server fail.',
    fix: 'Use _count of at least 1 and _offset of at least 0.',
    versions: '8.0',
    stages: ['fhir'],
    log: [/ExceptionHandlerListener exception (?:Limit|Offset) must be greater than or equal to 0/],
    answers: [wrapped(500, /^(?:Limit|Offset) must be greater than or equal to 0/, 'certain')],
  },
  {
    id: 'fhir-json-encode',
    title: 'A record holds text that is not UTF-8',
    cause: 'The server could not write a record as JSON because its text is in another encoding.',
    fix: 'Narrow the search until the record is found, then correct its text in OpenEMR (often a name or note that was imported).',
    versions: '7.0.3 and older',
    stages: ['fhir'],
    log: [/failed to encode JSON object/],
    answers: [bare(500)],
  },
  {
    id: 'fhir-handler-exception',
    title: "OpenEMR's own code failed",
    cause:
      'The server ran into an error of its own while it handled the request: damaged data, a broken installation, a fault of this version, or a value in the request that it cannot read.',
    fix: 'Check the values of the parameters (_offset from 0, dates as 2026-01-31, names without a modifier such as ":missing"), try a narrower request, read the error log of OpenEMR around this time, and report it at https://github.com/openemr/openemr/issues if the version is current.',
    versions: 'all',
    stages: ['fhir', 'discovery'],
    lastResort: true,
    applies: ({ stage, logEntries }) => stage !== undefined || logEntries.some(comesFromFhir),
    log: [
      /Call to undefined method \S*::getRequiredSection\(\)/,
      /HttpRestRouteHandler(?:::|->)dispatch\(\) (?!Route not found|scope |start request)(?<what>[^{]{1,200}) \{"/,
      /ExceptionHandlerListener exception (?<what>[^{]{1,200})/,
      /^(?:PHP (?:Fatal|Parse) error:\s{1,4}|(?:PHP )?(?:Fatal error: )?Uncaught exception )(?<what>.{1,200})/s,
    ],
    answers: [bare(500, 'likely'), wrapped(500, /(?<what>.{1,200})/s, 'certain')],
    specify({ match }) {
      const what = withoutValues(match?.groups?.['what'] ?? '')
        .replace(/ in \/.*/s, '')
        .trim();
      if (what === '') return {};
      return {
        cause: `OpenEMR failed with: ${what.replace(/\.$/, '')}. The reason may be damaged data, a broken installation, a fault of this version, or a value in the request that it cannot read.`,
      };
    },
  },
];
