/** The client's registration is why the token endpoint refuses. */
import type { AnswerSign } from '../answer.ts';
import type { CatalogueEntry } from './entry.ts';

/** The one body that twenty causes share; 401 is what client, JWKS and parse problems get. */
export const INVALID_CLIENT_401: AnswerSign = { status: 401, error: 'invalid_client' };

const API_CLIENTS = 'Admin > System > API Clients';

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
  },
  {
    id: 'client-public',
    title: 'The client is probably registered as a public one',
    cause:
      'The client credentials grant is for confidential clients. A client registered with another application_type than "private" gets 401 invalid_client, and OpenEMR logs nothing at all.',
    fix: 'Register the client again with "application_type": "private"; on the registration page choose Confidential.',
    versions: 'all',
    stages: ['token'],
    answers: [INVALID_CLIENT_401],
    circumstances: (evidence, answer) =>
      evidence.stage === 'token' &&
      answer.status === 401 &&
      answer.error === 'invalid_client' &&
      evidence.logFollowed === true &&
      evidence.logEntries.length === 0 &&
      evidence.parameterNames?.includes('redirect_uri') !== true
        ? '401 invalid_client and nothing in the error log: every other cause is logged'
        : undefined,
  },
];
