/** Bulk data export: kick-off, status, files. */
import type { AnswerSign } from '../answer.ts';
import { bare, wrapped } from './answers.ts';
import type { CatalogueEntry } from './entry.ts';
import { CONNECTORS, openemrIssue } from './places.ts';

const outcome = (status: number | readonly number[], message: RegExp): AnswerSign => ({
  status,
  message,
  proves: 'certain',
});

/** Entries about bulk export. */
export const BULK_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'bulk-accept-header',
    title: '$export wants exactly one Accept value',
    cause:
      'OpenEMR compares the Accept field of the kick-off byte for byte and refuses lists and parameters.',
    fix: 'Send exactly "Accept: application/fhir+json" with $export.',
    versions: 'all',
    stages: ['fhir'],
    answers: [outcome(400, /^'Accept' header invalid/)],
  },
  {
    id: 'bulk-prefer-header',
    title: '$export wants "Prefer: respond-async"',
    cause:
      'OpenEMR compares the Prefer field of the kick-off byte for byte; it was missing or held more.',
    fix: 'Send exactly "Prefer: respond-async" with $export.',
    versions: 'all',
    stages: ['fhir'],
    answers: [outcome(400, /^'Prefer' header invalid/)],
  },
  {
    id: 'bulk-disabled',
    title: 'Export is off because system scopes are',
    cause:
      'Export works with system scopes only, and they were switched off after the token was issued.',
    fix: `In OpenEMR open ${CONNECTORS} and switch on "Enable OpenEMR FHIR System Scopes" (in docker: OPENEMR_SETTING_rest_system_scopes_api=1).`,
    versions: 'all',
    stages: ['fhir'],
    answers: [bare(501)],
    circumstances: ({ interaction }, { status, empty }) =>
      status === 501 && empty && interaction?.operation?.startsWith('$') === true
        ? `a 501 with an empty body for ${interaction.operation}`
        : undefined,
  },
  {
    id: 'bulk-no-resource-scope',
    title: '$export needs a scope for every resource type as well',
    cause:
      'Besides the scope of the operation, the token needs the reading scope of each resource type that is exported, and has none of them, or not the one that was asked for.',
    fix: 'Add "system/<Resource>.read" for every type to be exported to "client.scopes" of the route, and register the client for them.',
    versions: 'all',
    stages: ['fhir'],
    answers: [
      outcome([400, 401], /^AccessToken does (?:not )?grant access to (?:resource|any supported)/),
    ],
  },
  {
    id: 'bulk-job-unknown',
    title: 'OpenEMR does not know this export job',
    cause:
      'The job was deleted or has expired, or was started by another client: only the client that started a job sees it.',
    fix: 'Start the export again, and poll through the same route of this proxy (the same client id).',
    versions: 'all',
    stages: ['fhir'],
    log: [/getJobForId\(\) failed to find job/],
    answers: [
      outcome([400, 404], /^The job id you submitted was (?:invalid|not found)/),
      bare(404),
    ],
  },
  {
    id: 'bulk-server-error',
    title: 'The export failed inside OpenEMR',
    cause:
      'An exporter of the server failed; releases around 7.0.0 to 7.0.3 have known faults there (dates, empty groups).',
    fix: 'Read the error log of OpenEMR; leave the failing type out of the scopes, or upgrade.',
    versions: 'all',
    stages: ['fhir'],
    log: [/processExport\(\) failed to process job \{.{0,300}"exception":"(?<why>[^"]*)"/s],
    answers: [outcome(500, /^An internal server error occurred/)],
    links: [
      openemrIssue(7000, 'OpenEMR issue 7000: $export fails'),
      openemrIssue(8561, 'OpenEMR issue 8561: $export fails in 7.0.3'),
    ],
  },
  {
    id: 'bulk-timeout',
    title: 'The export took more than two minutes',
    cause:
      'OpenEMR does the whole export inside the kick-off request and stops after 120 s; what is missing is named in "error".',
    fix: 'Export fewer types (by fewer scopes) or only changes (_since); keep "timeouts.headMs" of the route above 150 s.',
    versions: 'all',
    stages: ['fhir'],
    log: [/Export reached maximum execution time/],
    answers: [{ status: 200 }, { status: 202 }, outcome(200, /^Export process timed out/)],
  },
  {
    id: 'bulk-bad-since',
    title: '_since is no FHIR instant',
    cause: 'OpenEMR could not read the time in _since and failed over it.',
    fix: 'Write a full instant with time zone, such as _since=2026-01-01T00:00:00Z.',
    versions: 'all',
    stages: ['fhir'],
    applies: ({ interaction }) => interaction === undefined || interaction.operation === '$export',
    log: [
      /InvalidArgumentException: Date format invalid must match ISO86\d\d/,
      /ExceptionHandlerListener exception Date format invalid must match ISO86\d\d/,
      /Invalid date format for _since parameter/,
    ],
    answers: [
      bare(500),
      wrapped([400, 500], /^Date format invalid|Invalid date format for _since/, 'certain'),
    ],
  },
  {
    id: 'bulk-file-gone',
    title: 'The exported file is gone',
    cause:
      'Files of an export exist for one hour after its start and until the job is deleted; an id that never existed gets an empty 200.',
    fix: 'Download within the hour, or start the export again.',
    versions: 'all',
    stages: ['fhir'],
    applies: ({ interaction }) => interaction?.resourceType === 'Binary',
    answers: [bare(404), bare(200)],
    circumstances: ({ requestMethod }, { status, empty }) =>
      requestMethod !== 'HEAD' && empty && (status === 404 || status === 200)
        ? `a ${status} with an empty body for a Binary`
        : undefined,
  },
];
