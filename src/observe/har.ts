import { STATUS_CODES } from 'node:http';

import type { Exchange } from '../base/contracts.ts';
import {
  describeExchange,
  type BodyView,
  type ExchangeDetail,
  type ViewOptions,
} from './exchange-view.ts';
import type { FieldView } from './field-view.ts';

/** Options of {@link buildHar}. */
export interface HarOptions extends ViewOptions {
  /** Version of this program. */
  version: string;
}

/**
 * The exchanges as HTTP Archive 1.2, from the client's side of the proxy. Redacted like the page:
 * hidden values are `…` or `REDACTED`, cookies are left out. Members of our own begin with `_`.
 */
export function buildHar(exchanges: readonly Exchange[], options: HarOptions): object {
  return {
    log: {
      version: '1.2',
      creator: { name: 'fhir-auth-proxy', version: options.version },
      entries: exchanges
        .filter(({ outcome }) => outcome !== 'pending')
        .map((exchange) => buildEntry(describeExchange(exchange, options), options.baseUrl)),
    },
  };
}

function buildEntry(detail: ExchangeDetail, baseUrl: string): object {
  const { timings } = detail;
  const totalMs = timings.totalMs ?? 0;
  const sentMs = Math.min(timings.sentMs ?? timings.tokenMs ?? 0, totalMs);
  const headMs = Math.min(Math.max(timings.upstreamMs ?? totalMs, sentMs), totalMs);
  return {
    startedDateTime: detail.time,
    time: totalMs,
    request: buildRequest(detail, baseUrl),
    response: buildResponse(detail),
    cache: {},
    timings: {
      blocked: round(sentMs),
      send: 0,
      wait: round(headMs - sentMs),
      receive: round(totalMs - headMs),
    },
    _id: detail.id,
    _route: detail.route,
    _interaction: detail.interaction,
    _outcome: detail.outcome,
    _token: detail.token,
    _replayed: detail.replayed,
    _hints: detail.hints,
  };
}

function buildRequest(detail: ExchangeDetail, baseUrl: string): object {
  // A target that was refused need not be a path: "*", or another scheme's URL.
  const target = detail.target.startsWith('/') ? detail.target : '/';
  const url = new URL(URL.canParse(baseUrl + target) ? baseUrl + target : 'http://localhost/');
  return {
    method: detail.method,
    url: url.href,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: buildFields(detail.requestFields.received),
    queryString: [...url.searchParams].map(([name, value]) => ({ name, value })),
    headersSize: -1,
    bodySize: detail.requestBytes,
    ...(detail.requestBody === undefined ? {} : { postData: buildPostData(detail.requestBody) }),
  };
}

function buildPostData({ mediaType, text }: BodyView): object {
  return { mimeType: mediaType, text };
}

function buildResponse(detail: ExchangeDetail): object {
  const { returned } = detail.responseFields;
  const value = (name: string) =>
    returned.find((field) => field.name.toLowerCase() === name)?.value;
  return {
    status: detail.status,
    statusText: STATUS_CODES[detail.status] ?? '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: buildFields(returned),
    content: {
      size: detail.responseBytes,
      mimeType: value('content-type') ?? '',
      ...(detail.responseBody === undefined ? {} : { text: detail.responseBody.text }),
    },
    redirectURL: value('location') ?? '',
    headersSize: -1,
    bodySize: detail.responseBytes,
  };
}

function buildFields(fields: readonly FieldView[]): object[] {
  return fields.map(({ name, value }) => ({ name, value }));
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
