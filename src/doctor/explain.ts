/** Explains failures of the open requests: those that carry no token and leave nothing in a log. */
import { keptAnswer, type HttpAnswer } from '../auth/http-answer.ts';
import { parseNetworkFailure } from '../auth/network-failure.ts';
import type { Hint } from '../base/contracts.ts';
import type { TokenEndpointAnswer } from '../base/errors.ts';
import { networkCode } from '../base/network-code.ts';
import { parseInteraction } from '../fhir/interaction.ts';
import type { Stage } from '../hints/evidence.ts';
import { explain } from '../hints/match.ts';
import { fail, type Finding } from './result.ts';
import type { Subject } from './subject.ts';

/** Best explanation of a failed connection, or undefined. */
export function explainNetwork(
  subject: Subject,
  error: unknown,
  stage: Stage = 'fhir',
): Hint | undefined {
  const code = networkCode(error);
  if (code === undefined) return undefined;
  return explain({
    stage,
    nodeCode: code,
    logEntries: [],
    fhirBase: subject.destination.fhirBase,
    hasAuthority: subject.config.tls.ca !== undefined,
  })[0];
}

/** A finding about a request that got no answer. */
export function failNetwork(subject: Subject, what: string, error: unknown): Finding {
  const hasAuthority = subject.config.tls.ca !== undefined;
  const { reason, remedy } = parseNetworkFailure(error, { hasAuthority });
  const hint = explainNetwork(subject, error);
  return fail(`${what}: ${reason}`, hint === undefined ? capitalise(remedy) : undefined, hint);
}

/** Best explanation of a failing answer below the FHIR base to a request without a token. */
export function explainOpenAnswer(
  subject: Subject,
  path: string,
  answer: HttpAnswer | TokenEndpointAnswer,
): Hint | undefined {
  const { status, body, contentType } = 'truncated' in answer ? keptAnswer(answer) : answer;
  return explain({
    stage: path === 'metadata' ? 'fhir' : 'discovery',
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
    ...(contentType === undefined ? {} : { contentType }),
    requestMethod: 'GET',
    requestPath: `${subject.base.pathname}/${path}`,
    interaction: parseInteraction('GET', path),
    authorization: 'none',
    logEntries: [],
    fhirBase: subject.destination.fhirBase,
  })[0];
}

/** With its first letter in upper case. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
