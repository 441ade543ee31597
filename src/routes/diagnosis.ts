/**
 * Gathers the evidence of a failure from what every room knows, and has it explained: the answer,
 * the tokens, discovery, the upstream's error log.
 */
import type { Clock, Exchange, Hint } from '../base/contracts.ts';
import { TokenError, UpstreamError, type ProxyError } from '../base/errors.ts';
import { networkCode } from '../base/network-code.ts';
import type { Explanation, FailingAnswer } from '../forward/job.ts';
import type { LogEntry } from '../hints/error-log/entry.ts';
import type { LogSelection } from '../hints/error-log/select.ts';
import type { Evidence } from '../hints/evidence.ts';
import { buildHelpFields } from '../hints/help-link.ts';
import { explain } from '../hints/match.ts';
import { buildOperationOutcome, FHIR_JSON, issueTypeOfStatus } from '../hints/operation-outcome.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { Route } from './route.ts';

/** A line may be received a moment after the response. */
const LOG_SLACK_MS = 1_000;
/** A line that nobody waits for is met by the next look at the file, a second later or two. */
const LATE_LINE_MS = 2_000;

/** RFC 9209 for a success that is none. */
const NOT_FHIR = 'fhir-auth-proxy; error=http_protocol_error; details="not-fhir"';

/** Explains what goes wrong on one route. */
export interface Diagnosis {
  /**
   * Explains a failing answer of the upstream, or a web page in the place of FHIR; an empty one gets an OperationOutcome in its place.
   *
   * @param request.target request target as sent to the upstream; looked at, never shown
   * @param request.origin the proxy's own origin as this client calls it, for links to hints
   */
  explainAnswer(
    exchange: RequestFacts,
    answer: FailingAnswer,
    request: { target: string; origin: string },
  ): Promise<Explanation>;
  /** Explains a failure of the proxy's own: no token, no upstream. Refusals explain themselves. */
  explainError(request: RequestFacts, error: ProxyError): Promise<readonly Hint[]>;
  /** What is known by now of a failure outside an exchange, such as a renewal in the background. */
  hintsOf(error: ProxyError): readonly Hint[];
}

/** A route with the means to explain its failures. */
export type ServedRoute = Route & { readonly diagnosis: Diagnosis };

/** What is known of a request when it is explained. */
export type RequestFacts = Pick<
  Exchange,
  'method' | 'interaction' | 'parameterNames' | 'startedAtMs'
>;

/**
 * Creates the diagnosis of one route.
 *
 * @param published what the proxy publishes, when it listens: whoever fetches it while a token is asked for verifies with it
 */
export function createDiagnosis(
  route: Route,
  clock: Clock,
  published?: Pick<PublishedKeys, 'firstRsaKeyFetchedSince'>,
): Diagnosis {
  // A token failure is met by every call until the next attempt; it is explained once.
  const explaining = new WeakMap<object, Promise<readonly Hint[]>>();
  const explained = new WeakMap<object, readonly Hint[]>();

  const diagnosis: Diagnosis = {
    async explainAnswer(exchange, answer, { target, origin }) {
      const hints = explain({
        ...routeEvidence(route, exchange),
        ...answerEvidence(answer, clock),
        requestPath: target,
        ...(await logEvidence(route, clock, { fromMs: exchange.startedAtMs, path: target })),
      });
      const outcome = buildOperationOutcome({
        code: issueTypeOfStatus(answer.status),
        diagnostics: `the upstream answered ${answer.status} with an empty body`,
        hints,
      });
      return {
        hints,
        fields: [
          ...buildHelpFields(hints, origin),
          // The status claims success; whoever reads this field knows better.
          ...(answer.status < 400 ? ['Proxy-Status', NOT_FHIR] : []),
        ],
        body: { contentType: FHIR_JSON, content: Buffer.from(JSON.stringify(outcome)) },
      };
    },
    explainError(exchange, error) {
      if (error instanceof UpstreamError) {
        return Promise.resolve(
          explain({
            ...routeEvidence(route, exchange),
            ...(error.nodeCode === undefined ? {} : { nodeCode: error.nodeCode }),
          }),
        );
      }
      if (!(error instanceof TokenError)) return Promise.resolve([]);
      const failure = failureOf(error);
      const begun =
        explaining.get(failure) ?? explainTokenError(route, clock, exchange, error, published);
      explaining.set(failure, begun);
      begun.then(
        (hints) => explained.set(failure, hints),
        // The caller of this is told.
        () => {},
      );
      return begun;
    },
    hintsOf(error) {
      const known = explained.get(failureOf(error));
      if (known === undefined) {
        void diagnosis.explainError({ method: 'GET', startedAtMs: clock.now() }, error);
      }
      return known ?? [];
    },
  };
  return diagnosis;
}

/** What is the same in all errors that tell of one failure: they differ in the seconds to wait. */
function failureOf(error: ProxyError): object {
  return (error instanceof TokenError ? error.attempt : undefined) ?? error;
}

async function explainTokenError(
  route: Route,
  clock: Clock,
  exchange: RequestFacts,
  error: TokenError,
  published: Pick<PublishedKeys, 'firstRsaKeyFetchedSince'> | undefined,
): Promise<readonly Hint[]> {
  const { answer, attempt } = error;
  // The attempt may have been long before this request, which is answered from memory then.
  const fromMs = attempt?.startedAtMs ?? exchange.startedAtMs;
  const first = published?.firstRsaKeyFetchedSince(fromMs);
  const nodeCode = networkCode(error);
  const { requestedScopes } = route.tokens.state();
  const logged = await logEvidence(route, clock, {
    fromMs,
    ...(attempt === undefined ? {} : { toMs: attempt.endedAtMs + LATE_LINE_MS }),
    scope: requestedScopes.join(' '),
  });
  return explain({
    ...routeEvidence(route, exchange),
    ...logged,
    stage: error.code.startsWith('discovery') ? 'discovery' : 'token',
    ...signedEvidence(route),
    ...(first === undefined ? {} : { firstRsaKeyIsOurs: first.n === route.key.publicJwk.n }),
    ...(answer?.status === undefined ? {} : { status: answer.status }),
    ...(answer?.body === undefined ? {} : { body: answer.body }),
    ...(answer?.contentType === undefined ? {} : { contentType: answer.contentType }),
    ...(answer?.clockDifferenceMs === undefined
      ? {}
      : { clockDifferenceMs: answer.clockDifferenceMs }),
    ...(nodeCode === undefined ? {} : { nodeCode }),
    ...(answer === undefined ? { proxyCode: error.code } : {}),
  });
}

function routeEvidence(route: Route, exchange: RequestFacts): Evidence {
  const { requestedScopes, grantedScopes, obtainedAtMs } = route.tokens.state();
  const announced = route.discovery.last();
  const version = route.serverVersion();
  return {
    stage: 'fhir',
    logEntries: [],
    logFollowed: false,
    requestMethod: exchange.method === 'HEAD' ? 'GET' : exchange.method,
    ...(exchange.interaction === undefined ? {} : { interaction: exchange.interaction }),
    ...(exchange.parameterNames === undefined ? {} : { parameterNames: exchange.parameterNames }),
    fhirBase: route.fhirBase,
    hasAuthority: route.config.tls.ca !== undefined,
    ...(version === undefined ? {} : { serverVersion: version.comparable }),
    requestedScopes,
    ...(obtainedAtMs === undefined
      ? {}
      : { grantedScopes, lastWorkedMs: exchange.startedAtMs - obtainedAtMs }),
    ...(announced === undefined
      ? {}
      : { scopesSupported: announced.scopesSupported, tokenEndpoint: announced.tokenEndpoint }),
  };
}

function answerEvidence(answer: FailingAnswer, clock: Clock): Partial<Evidence> {
  const { status, body, contentType, token } = answer;
  return {
    status,
    body: body.toString('utf8'),
    ...(contentType === undefined ? {} : { contentType }),
    authorization: token === undefined ? 'none' : 'bearer',
    ...(token === undefined
      ? {}
      : {
          grantedScopes: token.grantedScopes,
          tokenAgeMs: clock.now() - token.obtainedAtMs,
          tokenLifetimeMs: token.expiresAtMs - token.obtainedAtMs,
        }),
  };
}

/** What the proxy itself signed, so that a wrong claim is found without the server's help. */
function signedEvidence({ config, key, discovery }: Route): Partial<Evidence> {
  const announcedTokenEndpoint = discovery.last()?.tokenEndpoint;
  const aud = config.audience ?? announcedTokenEndpoint ?? config.tokenEndpoint;
  if (aud === undefined) return {};
  return {
    signed: {
      aud,
      alg: key.alg,
      kid: key.kid,
      ...(announcedTokenEndpoint === undefined ? {} : { announcedTokenEndpoint }),
      ...(key.bits === undefined ? {} : { keyBits: key.bits }),
    },
  };
}

async function logEvidence(
  { errorLog, clientId }: Route,
  clock: Clock,
  selection: Pick<LogSelection, 'fromMs' | 'scope' | 'path'> & { toMs?: number },
): Promise<{ logEntries: readonly LogEntry[]; logFollowed: boolean }> {
  if (errorLog === undefined) return { logEntries: [], logFollowed: false };
  await errorLog.catchUp();
  return {
    logFollowed: errorLog.state().state === 'following',
    logEntries: errorLog.matching({
      ...selection,
      // A line that was received before the request is that of another one.
      fromMs: selection.fromMs,
      toMs: (selection.toMs ?? clock.now()) + LOG_SLACK_MS,
      clientId,
    }),
  };
}
