/** FHIR R4 OperationOutcome: what the proxy answers when it answers by itself. */
import type { Hint } from '../base/contracts.ts';
import { quoteLogLine } from '../base/quoted-line.ts';

/** Media type of what the proxy itself says. */
export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** Codes of the value set `issue-type` (FHIR R4, http://hl7.org/fhir/R4/valueset-issue-type.html). */
export type IssueType =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'unknown'
  | 'expired'
  | 'forbidden'
  | 'suppressed'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-found'
  | 'deleted'
  | 'too-long'
  | 'code-invalid'
  | 'extension'
  | 'too-costly'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'lock-error'
  | 'no-store'
  | 'exception'
  | 'timeout'
  | 'incomplete'
  | 'throttled'
  | 'informational';

/** Codes of the value set `issue-severity`. */
export type IssueSeverity = 'fatal' | 'error' | 'warning' | 'information';

/** One issue of an {@link OperationOutcome}; only the elements that the proxy fills in. */
export interface OperationOutcomeIssue {
  severity: IssueSeverity;
  code: IssueType;
  details?: { text: string };
  diagnostics: string;
}

/** The resource; `JSON.stringify` of it is a body of type `application/fhir+json`. */
export interface OperationOutcome {
  resourceType: 'OperationOutcome';
  issue: OperationOutcomeIssue[];
}

/** Input of {@link buildOperationOutcome}. */
export interface OperationOutcomeOptions {
  code: IssueType;
  /** What failed and what to do; never a secret, never a stack. */
  diagnostics: string;
  /** Explanations; each becomes an issue of severity `information` after the first one. */
  hints?: readonly Hint[];
  /** Severity of the first issue; default `error`. */
  severity?: IssueSeverity;
}

/** Builds the resource: the failure first, then one issue for each hint. */
export function buildOperationOutcome(options: OperationOutcomeOptions): OperationOutcome {
  const { code, diagnostics, hints = [], severity = 'error' } = options;
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity, code, diagnostics }, ...hints.map(buildHintIssue)],
  };
}

function buildHintIssue(hint: Hint): OperationOutcomeIssue {
  const { id, certainty, title, cause, fix } = hint;
  const line = quoteLogLine(hint);
  const quoted = line === undefined ? '' : ` (error log: ${line})`;
  return {
    severity: 'information',
    code: 'informational',
    details: { text: certainty === 'certain' ? title : `${title} (likely)` },
    diagnostics: `${cause} ${fix}${quoted} [${id}]`,
  };
}

const STATUS_ISSUE_TYPES: Readonly<Record<number, IssueType>> = {
  400: 'invalid',
  401: 'login',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-supported',
  406: 'not-supported',
  408: 'timeout',
  409: 'conflict',
  410: 'deleted',
  412: 'conflict',
  413: 'too-long',
  414: 'too-long',
  415: 'not-supported',
  422: 'processing',
  429: 'throttled',
  431: 'too-long',
  501: 'not-supported',
  502: 'transient',
  503: 'transient',
  504: 'timeout',
};

/** The issue type that says the most about an HTTP status; for answers whose body says nothing. */
export function issueTypeOfStatus(status: number): IssueType {
  return STATUS_ISSUE_TYPES[status] ?? (status >= 500 ? 'exception' : 'processing');
}
