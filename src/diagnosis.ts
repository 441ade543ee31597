/** Gathers the evidence of a failure and has it explained. Wires hints to what the other rooms know. */
import type { Exchange, Hint } from './contracts.ts';
import { TokenError, UpstreamError, type ProxyError } from './errors.ts';
import type { Explanation, FailingAnswer } from './forward/job.ts';
import type { Evidence } from './hints/evidence.ts';
import { explain } from './hints/match.ts';
import { buildOperationOutcome, type IssueType } from './hints/operation-outcome.ts';
import type { Route } from './route.ts';

/** Media type of what the proxy itself says. */
export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/**
 * Explains a failing answer of the upstream; an empty one gets an OperationOutcome in its place.
 *
 * @param origin the proxy's own origin as this client calls it, for links to hints
 */
export function explainAnswer(
  route: Route,
  exchange: Exchange,
  answer: FailingAnswer,
  origin: string,
): Explanation {
  const hints = explain({
    ...routeEvidence(route, exchange),
    status: answer.status,
    body: answer.body.toString('utf8'),
    ...(answer.contentType === undefined ? {} : { contentType: answer.contentType }),
    ...(answer.token === undefined
      ? {}
      : {
          grantedScopes: answer.token.grantedScopes,
          tokenAgeMs: Date.now() - answer.token.obtainedAtMs,
          tokenLifetimeMs: answer.token.expiresAtMs - answer.token.obtainedAtMs,
        }),
  });
  const outcome = buildOperationOutcome({
    code: issueType(answer.status),
    diagnostics: `the upstream answered ${answer.status} with an empty body`,
    hints,
  });
  return {
    hints,
    fields: buildHelpFields(hints, origin),
    body: { contentType: FHIR_JSON, content: Buffer.from(JSON.stringify(outcome)) },
  };
}

/** What is known of a request when it is explained. */
type RequestFacts = Pick<Exchange, 'method' | 'interaction' | 'parameterNames'>;

/** Explains a failure of the proxy's own: no token, no upstream. Refusals explain themselves. */
export function explainError(route: Route, exchange: RequestFacts, error: ProxyError): Hint[] {
  const evidence = routeEvidence(route, exchange);
  if (error instanceof UpstreamError) {
    return explain({ ...evidence, ...(error.nodeCode ? { nodeCode: error.nodeCode } : {}) });
  }
  if (!(error instanceof TokenError)) return [];
  const { answer } = error;
  const nodeCode = nodeCodeOf(error);
  return explain({
    ...evidence,
    stage: error.code.startsWith('discovery') ? 'discovery' : 'token',
    ...(answer?.status === undefined ? {} : { status: answer.status }),
    ...(answer?.body === undefined ? {} : { body: answer.body }),
    ...(answer?.contentType === undefined ? {} : { contentType: answer.contentType }),
    ...(answer?.clockDifferenceMs === undefined
      ? {}
      : { clockDifferenceMs: answer.clockDifferenceMs }),
    ...(nodeCode === undefined ? {} : { nodeCode }),
  });
}

/** `Link` to the page of the first hint (RFC 8288, relation `help`), names and values in turn. */
export function buildHelpFields(hints: readonly Hint[], origin: string): string[] {
  const [first] = hints;
  return first === undefined ? [] : ['Link', `<${origin}/_proxy/hints/${first.id}>; rel="help"`];
}

/** FHIR's word for an HTTP status. */
export function issueType(status: number): IssueType {
  switch (status) {
    case 401:
      return 'login';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 405:
    case 501:
      return 'not-supported';
    case 413:
    case 414:
    case 431:
      return 'too-long';
    case 429:
      return 'throttled';
    case 502:
    case 503:
      return 'transient';
    case 504:
      return 'timeout';
    default:
      return status < 500 ? 'invalid' : 'exception';
  }
}

function routeEvidence(route: Route, exchange: RequestFacts): Evidence {
  const { requestedScopes, grantedScopes } = route.tokens.state();
  const announced = route.discovery.last();
  return {
    stage: 'fhir',
    logEntries: [],
    logFollowed: false,
    requestMethod: exchange.method === 'HEAD' ? 'GET' : exchange.method,
    ...(exchange.interaction === undefined ? {} : { interaction: exchange.interaction }),
    ...(exchange.parameterNames === undefined ? {} : { parameterNames: exchange.parameterNames }),
    fhirBase: route.fhirBase,
    requestedScopes,
    grantedScopes,
    ...(announced === undefined
      ? {}
      : { scopesSupported: announced.scopesSupported, tokenEndpoint: announced.tokenEndpoint }),
  };
}

function nodeCodeOf(error: Error): string | undefined {
  const { cause } = error;
  if (!(cause instanceof Error)) return undefined;
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : nodeCodeOf(cause);
}
