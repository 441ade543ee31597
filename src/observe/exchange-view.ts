import type { Exchange, Hint } from '../base/contracts.ts';
import { decodeBody, type BodyStore, type KeptBody } from './bodies.ts';
import { buildCurl } from './curl.ts';
import { compareFields, findValue, pair, showFields, type FieldView } from './field-view.ts';
import { redactCredentials, redactText } from './redaction.ts';
import { showTarget } from './shown-target.ts';

/** What an exchange looks like from outside; holds no credential, and no id or value unless values are shown. */
export interface ExchangeSummary {
  id: string;
  /** Arrival, ISO 8601 in UTC. */
  time: string;
  route?: string;
  method: string;
  /** `search Patient`, `read Observation`, `$export`. */
  interaction: string;
  /** Names of the query's parameters. */
  parameters: readonly string[];
  /** Path and query; ids and values are `REDACTED` unless values are shown. */
  target: string;
  /** Status sent to the client; 0 while none was. */
  status: number;
  outcome: Exchange['outcome'];
  /** Milliseconds from the arrival of the request head; see `ExchangeTimings`. */
  timings: Exchange['timings'];
  requestBytes: number;
  responseBytes: number;
  /** Where the token came from. */
  token: Exchange['tokenOrigin'];
  replayed: boolean;
  /** The proxy's own error. */
  error?: { code: string; message: string };
  hints: readonly Pick<Hint, 'id' | 'title' | 'certainty'>[];
}

/** Everything that may be told about an exchange. */
export interface ExchangeDetail extends Omit<ExchangeSummary, 'hints'> {
  hints: readonly Hint[];
  /** Fields of the request: as the client sent them, and as the upstream got them. */
  requestFields: { received: FieldView[]; sent: FieldView[] };
  /** Whether the fields were dropped: the exchange was one of very many, and nobody looked. */
  fieldsDropped?: true;
  /** Fields of the answer: as the client got them, and the names of those of the upstream that were withheld. */
  responseFields: { returned: FieldView[]; withheld: readonly string[] };
  /** Only when values are shown and the bodies are text. */
  requestBody?: BodyView;
  responseBody?: BodyView;
  /** A command that asks the same of the proxy again; without a token, which the proxy adds. */
  curl: string;
  /** Whether the proxy can send the request again by itself: it is safe and has no body. */
  canSendAgain: boolean;
}

/** The beginning of a body. */
export interface BodyView {
  mediaType: string;
  text: string;
  /** Whether the body went on. */
  cut: boolean;
}

/** How to show exchanges. */
export interface ViewOptions {
  showValues: boolean;
  /** The proxy's own URL as the viewer calls it, without a slash at the end. */
  baseUrl: string;
}

/** What the list shows. */
export function summarise(exchange: Exchange, showValues: boolean): ExchangeSummary {
  const { id, method, route, interaction, error, hints, timings } = exchange;
  return {
    id,
    time: new Date(exchange.startedAtMs).toISOString(),
    ...(route === undefined ? {} : { route }),
    method,
    interaction: interaction?.label ?? 'no route',
    parameters: exchange.parameterNames ?? [],
    target: showTarget(exchange, showValues),
    status: exchange.status,
    outcome: exchange.outcome,
    timings: roundTimings(timings),
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    token: exchange.tokenOrigin,
    replayed: exchange.replayed,
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: redactText(error.message) } }),
    hints: hints.map(({ id, title, certainty }) => ({ id, title, certainty })),
  };
}

/** Everything that may be told. */
export function describeExchange(exchange: Exchange, options: ViewOptions): ExchangeDetail {
  const { showValues } = options;
  const { wire } = exchange;
  const received = wire?.received ?? [];
  const request = compareFields(received, wire?.sent, showValues);
  const bodies = showValues ? (wire?.bodies as BodyStore | undefined)?.read() : undefined;
  const requestBody = bodies && showBody(bodies.request, received);
  const responseBody = bodies && showBody(bodies.response, wire?.returned ?? []);
  return {
    ...summarise(exchange, showValues),
    hints: exchange.hints.map((hint) => ({ ...hint, evidence: redactText(hint.evidence) })),
    requestFields: { received: request.before, sent: request.after },
    ...(wire !== undefined && wire.received === undefined ? { fieldsDropped: true } : {}),
    responseFields: {
      returned: markAdded(showFields(wire?.returned ?? [], showValues), wire?.added ?? []),
      withheld: wire?.withheld ?? [],
    },
    ...(requestBody === undefined ? {} : { requestBody }),
    ...(responseBody === undefined ? {} : { responseBody }),
    curl: buildCurl(exchange, options),
    canSendAgain: canSendAgain(exchange),
  };
}

function markAdded(fields: readonly FieldView[], added: readonly string[]): FieldView[] {
  const names = new Set(pair(added).map(({ name }) => name.toLowerCase()));
  return fields.map((field) =>
    names.has(field.name.toLowerCase()) ? { ...field, change: 'added' } : field,
  );
}

/** Only what is safe (RFC 9110 section 9.2.1), for bodies are not kept to be sent again. */
export function canSendAgain({ method, wire, route }: Exchange): boolean {
  return wire !== undefined && route !== undefined && (method === 'GET' || method === 'HEAD');
}

function roundTimings(timings: Exchange['timings']): Exchange['timings'] {
  const entries = Object.entries(timings) as [string, number | undefined][];
  return Object.fromEntries(
    entries.flatMap(([name, ms]) =>
      ms === undefined ? [] : [[name, Math.round(ms * 1000) / 1000] as const],
    ),
  );
}

const TEXT_BODY = /^(?:text\/|application\/(?:[\w.+-]*(?:json|xml|ndjson)|x-www-form-urlencoded))/i;

function showBody(body: KeptBody, fields: readonly string[]): BodyView | undefined {
  const mediaType = findValue(fields, 'content-type') ?? '';
  if (body.bytes.length === 0 || !TEXT_BODY.test(mediaType)) return undefined;
  const text = decodeBody(body, findValue(fields, 'content-encoding'));
  return text === undefined
    ? undefined
    : { mediaType, text: redactCredentials(text), cut: body.cut };
}
