/** The client's registration is why the token endpoint refuses. */
import type { Answer } from '../answer.ts';
import type { Evidence } from '../evidence.ts';
import { INVALID_CLIENT_401 } from './answers.ts';
import type { CatalogueEntry } from './entry.ts';
import { API_CLIENTS, openemrIssue } from './places.ts';

/** Every cause of `401 invalid_client` but two leaves a line in the error log. */
const isSilent401 = (evidence: Evidence, answer: Answer): boolean =>
  evidence.stage === 'token' &&
  answer.status === 401 &&
  answer.error === 'invalid_client' &&
  evidence.logFollowed === true &&
  evidence.logEntries.length === 0;

/** Entries about the client. */
export const CLIENT_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'client-unknown',
    title: 'OpenEMR does not know this client id',
    cause:
      'No client with this id is registered at this site of this server. Typical: a typing error, an id from another server or site, or a database that was made anew after the registration.',
    fix: `In OpenEMR open ${API_CLIENTS} and copy the Client ID into "client.id" of the configuration. If it is not listed there, register the client again.`,
    versions: 'all',
    stages: ['token'],
    log: [/no client found for identifier\s+\{"client":"(?<client>[^"]+)"/],
    answers: [INVALID_CLIENT_401],
    specify: ({ match }) =>
      match?.groups?.['client'] === undefined
        ? {}
        : {
            cause: `OpenEMR looked for the client id "${match.groups['client']}" and found none at this site. Typical: a typing error, an id from another server or site, or a database that was made anew after the registration.`,
          },
  },
  {
    id: 'client-disabled',
    title: 'The client is registered but not enabled',
    cause:
      'OpenEMR starts every client that has system/ or user/ scopes disabled. Until an administrator enables it, each token request gets 401 invalid_client.',
    fix: `In OpenEMR open ${API_CLIENTS}, choose the client and press "Enable Client".`,
    versions: '6.1 and later',
    stages: ['token'],
    log: [/client returned was not enabled \{"client":"/, /Client is not enabled \{"client_id":"/],
    answers: [INVALID_CLIENT_401],
    links: [openemrIssue(7531, 'OpenEMR issue 7531: system client cannot get a token')],
  },
  {
    id: 'redirect-uri-sent',
    title: 'The token request carries a redirect_uri',
    cause:
      'A redirect_uri that is not one of the registered ones makes OpenEMR answer 401 invalid_client without a line in its log. The client credentials grant needs none.',
    fix: 'Leave "redirect_uri" out of the token request.',
    versions: 'all',
    stages: ['token'],
    answers: [INVALID_CLIENT_401],
    circumstances: (evidence, answer) =>
      answer.status === 401 &&
      answer.error === 'invalid_client' &&
      evidence.parameterNames?.includes('redirect_uri') === true
        ? '401 invalid_client, and the request carried redirect_uri'
        : undefined,
    links: [openemrIssue(6644, 'OpenEMR issue 6644: redirect_uri mismatch is invalid_client')],
  },
  {
    id: 'client-public',
    title: 'The client is registered as a public one',
    cause:
      'The client credentials grant is for confidential clients. A client registered with another application_type than "private" gets 401 invalid_client, and OpenEMR logs nothing at all.',
    fix: 'Register the client again with "application_type": "private"; on the registration page choose Confidential.',
    versions: 'all',
    stages: ['token'],
    answers: [INVALID_CLIENT_401],
    circumstances: (evidence, answer) =>
      isSilent401(evidence, answer) && evidence.parameterNames?.includes('redirect_uri') !== true
        ? '401 invalid_client and nothing in the error log, where every other cause leaves a line'
        : undefined,
  },
];
