/**
 * The path of one exchange, top to bottom: gate, token, forward, explain, observe. Nothing else in
 * the tree knows the whole path.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';

import type { AccessToken, Clock, Exchange, TokenOrigin } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import type { PublicBase } from '../config/public-base.ts';
import type { RouteConfig } from '../config/schema.ts';
import type { BodyMemory } from '../forward/body-memory.ts';
import { inviteBody, isWritten } from '../forward/early-answer.ts';
import type { ForwardJob } from '../forward/job.ts';
import {
  arrivingBody,
  hasShortBody,
  readWholeBody,
  streamedBody,
  wholeBody,
  type RequestBody,
} from '../forward/request-body.ts';
import type {
  Admission,
  Gate,
  PreflightAdmission,
  Refusal,
  ReservedAdmission,
  RouteAdmission,
} from '../gate/admission.ts';
import type { Diagnosis, ServedRoute } from '../routes/diagnosis.ts';
import type { RouteInUse } from '../routes/route-set.ts';
import type { Route } from '../routes/route.ts';
import type { LoopMark } from './loop-mark.ts';
import type { Observation } from './observation.ts';
import { openExchange } from './open-exchange.ts';
import { answerWithError, buildOwnTiming, internalError } from './outcome-response.ts';
import type { ReservedPaths } from './reserved-paths.ts';

/** What an exchange passes through. */
export interface Rooms {
  gate: Gate;
  routes: ReadonlyMap<RouteConfig, RouteInUse>;
  publicBase: PublicBase;
  clock: Clock;
  loopMark: LoopMark;
  answerReserved: ReservedPaths;
  observation: Observation;
  /** For request bodies that are held. */
  bodyMemory: BodyMemory;
  /** Most requests of one route that may be under way. */
  mostInFlight: number;
  onExchange?: (exchange: Exchange) => void;
}

/** A request that has arrived. */
type Arrival = Pick<ForwardJob, 'request' | 'response' | 'exchange' | 'elapsedMs'>;

/** Takes a request from its arrival to its answer; never throws. */
export function serve(rooms: Rooms, request: IncomingMessage, response: ServerResponse): void {
  const arrivedAt = performance.now();
  const exchange = openExchange(request, rooms.clock);
  const elapsedMs = (): number => performance.now() - arrivedAt;
  let route: RouteInUse | undefined;
  response.on('close', () => {
    exchange.timings.totalMs = elapsedMs();
    if (!isWritten(response) && exchange.outcome !== 'upstream-died') {
      exchange.outcome = 'client-gone';
    }
    if (route !== undefined) leave(route);
    rooms.observation.finished(exchange);
    rooms.onExchange?.(exchange);
  });

  const take = (admission: Admission): void => {
    exchange.timings.gateMs = elapsedMs();
    switch (admission.kind) {
      case 'route':
        rooms.observation.started(exchange, request);
        route = rooms.routes.get(admission.route)!;
        route.exchanges += 1;
        if (route.exchanges > rooms.mostInFlight)
          refuse(response, exchange, refuseBusy(route, admission));
        else forward(rooms, route, { request, response, exchange, elapsedMs }, admission);
        break;
      case 'preflight':
        answerPreflight(response, exchange, admission);
        break;
      case 'reserved':
        answerOwnPath(rooms, request, response, exchange, admission);
        break;
      case 'refused':
        rooms.observation.started(exchange, request);
        refuse(response, exchange, admission);
    }
  };

  try {
    take(admit(rooms, request));
  } catch (cause) {
    // A defect costs this exchange, not the process.
    if (response.headersSent) response.destroy();
    else answerWithError(response, exchange, internalError(cause));
  }
}

/** What the gate says, unless the request was sent by this very proxy. */
function admit({ gate, loopMark }: Rooms, request: IncomingMessage): Admission {
  const loopError = loopMark.check(request.headers.via);
  return loopError === undefined ? gate.admit(request) : { kind: 'refused', error: loopError };
}

/** There are more requests under way than the route may have: waiting for them would fill the memory. */
function refuseBusy({ config }: Route, { corsFields }: RouteAdmission): Refusal {
  const error = new ProxyError(
    'route-busy',
    `too many requests for "${config.path}" are under way: send this one again in a second, fewer at a time, or raise "listen.limits.inFlight"`,
    { status: 503, retryAfterSeconds: 1 },
  );
  return { kind: 'refused', error, fields: corsFields };
}

/** The last request to leave a route that was replaced lets it be closed. */
function leave(route: RouteInUse): void {
  route.exchanges -= 1;
  if (route.exchanges === 0) route.onIdle?.();
}

/** A request that was let through, on its way to the upstream. */
interface Passage {
  rooms: Rooms;
  arrival: Arrival;
  admission: RouteAdmission;
  route: ServedRoute;
  /** What this client calls the proxy by: origin and path prefix. */
  origin: string;
}

/** Through the gate: on to the upstream, at once when there is nothing to wait for. */
function forward(
  rooms: Rooms,
  route: ServedRoute,
  arrival: Arrival,
  admission: RouteAdmission,
): void {
  const { request, response, exchange } = arrival;
  const { interaction, judgeBody } = admission;
  exchange.route = route.config.path;
  exchange.interaction = interaction;
  exchange.parameterNames = admission.parameterNames;
  const passage = { rooms, arrival, admission, route, origin: rooms.publicBase(request) };
  const token = interaction.open ? undefined : route.tokens.current();
  const waits =
    judgeBody !== undefined || (token === undefined && !interaction.open) || hasShortBody(request);
  if (waits) {
    void prepare(passage);
    return;
  }
  if (token !== undefined) exchange.tokenOrigin = originInHand(route);
  send(passage, streamedBody(response, rooms.bodyMemory, exchange.wire?.bodies), token);
}

/** The body judged if need be, and a token. */
async function prepare(passage: Passage): Promise<void> {
  const { rooms, arrival, admission, route } = passage;
  const { response, exchange } = arrival;
  try {
    const body = await admittedBody(rooms, arrival, admission);
    if (body instanceof ProxyError) {
      refuse(response, exchange, { kind: 'refused', error: body, fields: admission.corsFields });
      return;
    }
    send(passage, body, admission.interaction.open ? undefined : await takeToken(route, exchange));
  } catch (error) {
    fail(passage, error);
  }
}

/** To the upstream and back. */
function send(passage: Passage, body: RequestBody, token: AccessToken | undefined): void {
  const { arrival, admission, route, origin } = passage;
  const { request, response, exchange, elapsedMs } = arrival;
  exchange.timings.tokenMs = elapsedMs();
  const target = route.basePath + admission.target;
  try {
    route.engine({
      request,
      response,
      exchange,
      interaction: admission.interaction,
      target,
      body,
      token,
      proxyBase: origin + route.config.path,
      addedFields: admission.corsFields,
      elapsedMs,
      explain: (answer) => route.diagnosis.explainAnswer(exchange, answer, { target, origin }),
      fail: (error) => fail(passage, error),
    });
  } catch (error) {
    fail(passage, error);
  }
}

function fail({ arrival, admission, route, origin }: Passage, cause: unknown): void {
  if (arrival.response.destroyed) return;
  const error = cause instanceof ProxyError ? cause : internalError(cause);
  const added = admission.corsFields;
  explainAndAnswer(route.diagnosis, arrival, error, { origin, added }).catch(() => {
    arrival.response.destroy();
  });
}

/** The body as it may be sent on, or the reason to refuse it. */
async function admittedBody(
  { bodyMemory }: Rooms,
  { response, exchange }: Arrival,
  { judgeBody }: RouteAdmission,
): Promise<RequestBody | ProxyError> {
  const watch = exchange.wire?.bodies;
  if (judgeBody === undefined) return arrivingBody(response, bodyMemory, watch);
  inviteBody(response);
  const body = await readWholeBody(response, bodyMemory, judgeBody.maxBytes);
  if (body === undefined) return judgeBody.tooLarge();
  return judgeBody.judge(body) ?? wholeBody(body, watch);
}

async function takeToken(route: Route, exchange: Exchange): Promise<AccessToken> {
  const inHand = route.tokens.current();
  const token = inHand ?? (await route.tokens.get());
  exchange.tokenOrigin = inHand === undefined ? 'fresh' : originInHand(route);
  return token;
}

function originInHand({ tokens }: Route): TokenOrigin {
  return tokens.isFailing() ? 'stale' : 'cached';
}

/** No token or no upstream: the proxy answers, with what it knows about the cause. */
async function explainAndAnswer(
  diagnosis: Diagnosis,
  { response, exchange }: Arrival,
  error: ProxyError,
  { origin, added }: { origin: string; added: readonly string[] },
): Promise<void> {
  exchange.outcome = response.headersSent ? 'upstream-died' : 'failed';
  exchange.error = { code: error.code, message: error.message };
  // Without its explanation an error is still an answer.
  exchange.hints = await diagnosis.explainError(exchange, error).catch(() => []);
  // A clean end would make a cut body look whole.
  if (response.headersSent) response.destroy();
  else answerWithError(response, exchange, error, added, origin);
}

function refuse(response: ServerResponse, exchange: Exchange, { error, fields }: Refusal): void {
  exchange.outcome = 'refused';
  answerWithError(response, exchange, error, fields);
}

function answerPreflight(
  response: ServerResponse,
  exchange: Exchange,
  { fields }: PreflightAdmission,
): void {
  exchange.outcome = 'answered';
  exchange.status = 204;
  response.writeHead(204, [...fields, 'Server-Timing', buildOwnTiming(exchange)]).end();
}

function answerOwnPath(
  rooms: Rooms,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  { path, corsFields }: ReservedAdmission,
): void {
  exchange.outcome = 'answered';
  inviteBody(response);
  response.setHeader('Server-Timing', buildOwnTiming(exchange));
  if (rooms.answerReserved(request, response, path, corsFields)) {
    exchange.status = response.statusCode;
    return;
  }
  const paths = [...rooms.routes.keys()].map((route) => route.path);
  const error = new ProxyError(
    'route-unknown',
    `there is nothing at this path: ask for FHIR below ${paths.map((path) => `"${path}"`).join(', ')}, for example "${paths[0]}/Patient"`,
    { status: 404 },
  );
  response.removeHeader('Server-Timing');
  answerWithError(response, exchange, error, corsFields);
}
