/** Scopes: unknown, misspelt, not granted. */
import { missingScopes } from '../../fhir/scope.ts';
import type { Answer } from '../answer.ts';
import type { Evidence } from '../evidence.ts';
import { judgeScope, listSystemTypes } from '../scope-spelling.ts';
import { bare } from './answers.ts';
import { isModern } from './circumstances.ts';
import type { CatalogueEntry, HintText } from './entry.ts';
import { CONNECTORS, openemrIssue } from './places.ts';

const SWITCH_ON = `In OpenEMR open ${CONNECTORS} and switch on "Enable OpenEMR FHIR System Scopes" (in docker: OPENEMR_SETTING_rest_system_scopes_api=1)`;

/** Entries about scopes. */
export const SCOPE_ENTRIES: readonly CatalogueEntry[] = [
  {
    id: 'scope-empty-string',
    title: 'An empty scope was asked for',
    cause:
      'The registration has no scope, or double, leading or trailing spaces in it; each makes an empty scope, which OpenEMR refuses.',
    fix: 'Send "scope" with the scopes separated by single spaces, such as "system/Patient.read system/Observation.read".',
    versions: 'all',
    stages: ['registration', 'token'],
    log: [
      /request access to invalid scope \{"scope":""/,
      /invalid scope format for identifier \{"scope":""/,
      /Uncaught InvalidArgumentException: Invalid scope parameter set/,
    ],
    answers: [
      {
        status: 400,
        error: 'invalid_scope',
        hint: /^Specify a scope in the request/,
        proves: 'certain',
      },
      bare(500),
    ],
  },
  {
    id: 'scope-invalid',
    title: 'OpenEMR does not know a scope that was asked for',
    cause:
      'One scope that this server does not know fails the whole request. Either system scopes are switched off (the default), or the scope is misspelt: SMART v2 syntax on 7.0.3 and older, a wildcard, an unknown resource type, or scopes not separated by spaces.',
    fix: `${SWITCH_ON}. If they are on, take the scopes from "scopes_supported" of smart-configuration; "system/Patient.read" is understood by every version.`,
    versions: 'all',
    stages: ['token', 'registration'],
    log: [
      /request access to invalid scope \{"scope":"(?<scope>[^"]+)"/,
      /invalid scope format for identifier \{"scope":"(?<scope>[^"]+)"/,
    ],
    answers: [
      {
        status: 400,
        error: 'invalid_scope',
        hint: /^Check the `(?<scope>[^`]*)` scope/,
        proves: 'certain',
      },
      { status: 400, error: 'invalid_scope' },
    ],
    specify({ match, evidence, answer }) {
      const scope = match?.groups?.['scope'];
      return scope === undefined ? {} : explainScope(scope, evidence, answer);
    },
    links: [openemrIssue(7531, 'OpenEMR issue 7531: system scopes are off by default')],
  },
  {
    id: 'scope-not-granted',
    title: 'The token lacks scopes that were asked for',
    cause:
      'OpenEMR drops scopes that the client is not registered for without a word, down to a token with no scope at all, with which every FHIR request gets 401.',
    fix: 'Register a new client with all the scopes that are needed (a registered client cannot be given more), or take the missing ones out of "client.scopes".',
    versions: 'all',
    stages: ['token'],
    answers: [{ status: 200, text: /"scope"\s*:\s*""/, proves: 'certain' }],
    circumstances({ requestedScopes = [], grantedScopes }, { status }) {
      const missing =
        grantedScopes === undefined ? [] : missingScopes(requestedScopes, grantedScopes);
      return status === 200 && missing.length > 0
        ? { certainty: 'certain', says: `granted: "${grantedScopes?.join(' ') ?? ''}"` }
        : undefined;
    },
    specify({ evidence: { requestedScopes, grantedScopes = [] } }) {
      if (requestedScopes === undefined) return {};
      if (requestedScopes.length === 0) {
        return {
          cause:
            'No scope was asked for, so the token has none, and every FHIR request with it gets 401.',
          fix: 'Ask for the scopes that are needed: "client.scopes" of the route.',
        };
      }
      const missing = missingScopes(requestedScopes, grantedScopes).map((scope) => `"${scope}"`);
      return {
        cause: `OpenEMR did not grant ${missing.join(', ')}: it drops what the client is not registered for without a word, and FHIR requests that need it get 401.`,
      };
    },
    links: [
      {
        label: 'A report of scopes that were silently dropped',
        url: 'https://the-unremarkable-coder.ghost.io/openemr-api-client_credentials-grant_type',
      },
    ],
  },
  {
    id: 'scope-granular-empty',
    title: 'The scope restricts what can be found',
    cause:
      'The token was granted only with a restriction such as "?category=laboratory": OpenEMR then leaves out whatever is of another category, silently.',
    fix: 'Ask for the scope without the restriction if more is needed, such as "system/Observation.rs".',
    versions: '7.0.4 and later',
    stages: ['fhir'],
    circumstances({ grantedScopes = [], interaction }, answer) {
      const type = interaction?.resourceType;
      if (type === undefined || !isEmptyResult(answer)) return undefined;
      const own = grantedScopes.filter((scope) => scope.startsWith(`system/${type}.`));
      return own.length > 0 && own.every((scope) => scope.includes('?'))
        ? `nothing found, and granted for ${type} is only: ${own.map((scope) => scope.replace(/\?.*/s, '?…')).join(' ')}`
        : undefined;
    },
  },
];

function isEmptyResult({ status, json, text }: Answer): boolean {
  if (status === 404) return text === '[]';
  return status === 200 && json?.['resourceType'] === 'Bundle' && json['total'] === 0;
}

function explainScope(scope: string, evidence: Evidence, answer: Answer): Partial<HintText> {
  const modern = isModern(evidence, answer);
  const judgement = judgeScope(scope, { modern, supported: evidence.scopesSupported });
  const refused = `OpenEMR refused the scope "${scope}", and with it the whole request`;
  const listed = evidence.scopesSupported?.flat() ?? [];
  const listsSystem = listSystemTypes(listed).length > 0;
  if (judgement !== undefined) {
    const { problem, right, guessed = false } = judgement;
    const meant = guessed && right !== undefined ? ` Did you mean "${right}"?` : '';
    return {
      cause: `${refused}: it ${problem}.${meant}`,
      fix:
        right === undefined
          ? `Take "${scope}" out of "client.scopes".`
          : `Write "${right}" instead of "${scope}" in "client.scopes".${listsSystem ? '' : ` If that is refused too: ${SWITCH_ON}.`}`,
    };
  }
  if (listsSystem && missingScopes([scope], listed).length > 0) {
    return {
      cause: `${refused}: the server does not offer it.`,
      fix: `Take "${scope}" out of "client.scopes", or write one that "scopes_supported" of smart-configuration lists.`,
    };
  }
  return {
    cause: listsSystem
      ? `${refused}, although it listed it when it was asked what it offers: most likely system scopes were switched off since.`
      : `${refused}. Nothing is wrong with its spelling: most likely system scopes are switched off at this server (the default), or it has no such resource type.`,
  };
}
