/** The checklist for `invalid_client` without a log: what is left after what the proxy could rule out itself. */
import type { HintText } from './catalogue/entry.ts';
import { API_CLIENTS } from './catalogue/places.ts';
import type { Evidence } from './evidence.ts';
import { examineOurselves, type FindingSubject } from './self-examination.ts';

interface Check {
  /** What the reader is to check. */
  text: string;
  /** Finding that makes the check needless. */
  ruledOutBy?: FindingSubject;
}

const CHECKS: Readonly<Record<'client' | 'assertion', readonly Check[]>> = {
  client: [
    { text: `the client id is listed under ${API_CLIENTS} of this site` },
    { text: 'the client is enabled there ("Enable Client")' },
    { text: 'it was registered as confidential (application_type "private")' },
    { text: 'its JWK Set is {"keys": […]} with an RSA key, registered as an object' },
    { text: 'its jwks_uri, if it has one, can be fetched from the OpenEMR server' },
  ],
  assertion: [
    { text: '"aud" equals the token_endpoint of smart-configuration', ruledOutBy: 'audience' },
    { text: 'both clocks are right', ruledOutBy: 'clock' },
    { text: 'the assertion is signed with RS384', ruledOutBy: 'algorithm' },
    {
      text: 'the signing key is the first RSA key of the registered JWK Set',
      ruledOutBy: 'first-key',
    },
    { text: 'no proxy in between changes Host or adds X-Forwarded-Host' },
    { text: 'no assertion is sent twice (a new jti every time)' },
  ],
};

/** Cause and fix of the checklist hints, made specific by the self-examination. */
export function buildChecklist(
  evidence: Evidence,
  kind: 'client' | 'assertion',
): Partial<HintText> {
  const findings = examineOurselves(evidence);
  const right = new Set(
    findings.filter(({ verdict }) => verdict === 'right').map(({ subject }) => subject),
  );
  const open = CHECKS[kind].filter(
    ({ ruledOutBy }) => ruledOutBy === undefined || !right.has(ruledOutBy),
  );
  const said = findings
    .filter(({ subject }) => !subject.startsWith('scope'))
    .map(({ says }) => says);
  const log =
    evidence.logFollowed === true
      ? 'The error log that is followed showed nothing for it: is it the right file?'
      : 'Set "errorLog" of the route to see the true cause.';
  if (
    kind === 'client' &&
    evidence.authorization !== undefined &&
    evidence.authorization !== 'none'
  ) {
    said.push(
      'the token request carried an Authorization field, which turns 400 into 401 up to 7.0.3, so signature and claims come into question too',
    );
  }
  return {
    fix: `Check in this order: ${open.map(({ text }, at) => `(${at + 1}) ${text}`).join('; ')}. ${log}`,
    ...(said.length === 0
      ? {}
      : { cause: `${CAUSES[kind]} Examined on our side: ${said.join('; ')}.` }),
  };
}

const SHARED =
  'Some ten causes share this answer; the true one stands only in the error log of OpenEMR.';
const CAUSES = {
  client: `${SHARED} A 401 means: it failed before the signature was checked, at the client, its keys or the text of the assertion.`,
  assertion: `${SHARED} A 400 means: client and keys were found, but signature or claims were refused.`,
} as const;
