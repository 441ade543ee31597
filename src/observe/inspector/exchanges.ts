import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Exchange } from '../../base/contracts.ts';
import type { PublicBase } from '../../config/public-base.ts';
import { describeExchange, type ViewOptions } from '../exchange-view.ts';
import { buildHar } from '../har.ts';
import type { Recorder } from '../recorder.ts';
import { sendEmpty, sendError, sendJson } from './answers.ts';
import { buildReport } from './report.ts';
import { sendAgain } from './send-again.ts';

/** What the exchange paths need. */
export interface ExchangesOptions {
  version: string;
  publicBase: PublicBase;
  recorder: Recorder;
}

/**
 * Answers what stands below `/_proxy/exchanges`:
 *
 * | request | answer |
 * |---|---|
 * | `GET` | the newest kept exchanges with everything that may be shown, oldest first: at most `?limit=` (100), those before `?before=ID`; a `Link` with `rel="next"` leads to older ones |
 * | `DELETE` | forgets them |
 * | `GET .har` | the same as HTTP Archive 1.2, as a download |
 * | `GET /ID` | one exchange |
 * | `GET /ID/report` | a report to hand to somebody, or to `explain --exchange`; never with values |
 * | `POST /ID/send-again` | sends the request again through the proxy: `{ "status": … }` |
 *
 * @param rest what follows `/_proxy/exchanges`
 */
export function answerExchanges(
  request: IncomingMessage,
  response: ServerResponse,
  rest: string,
  { version, publicBase, recorder }: ExchangesOptions,
): void {
  const { method } = request;
  const reads = method === 'GET' || method === 'HEAD';
  const view: ViewOptions = {
    showValues: recorder.showValues,
    baseUrl: publicBase(request),
  };
  if (rest === '' && method === 'DELETE') {
    recorder.clear();
    sendEmpty(response, 204);
    return;
  }
  if (rest === '' && reads) {
    const { page, fields } = pageOf(recorder.list(), request.url ?? '');
    sendJson(
      response,
      page.map((exchange) => describeExchange(exchange, view)),
      { fields },
    );
    return;
  }
  if (rest === '.har' && reads) {
    sendJson(response, buildHar(recorder.list(), { ...view, version }), {
      contentType: 'application/json; charset=utf-8',
      fields: ['Content-Disposition', 'attachment; filename="fhir-auth-proxy.har"'],
    });
    return;
  }
  answerOne(request, response, rest, { version, publicBase, recorder, view });
}

const PAGE_LENGTH = 100;
const LONGEST_PAGE = 500;

/** The newest exchanges, or those before one of them, and a link to older ones (RFC 8288). */
function pageOf(
  list: readonly Exchange[],
  target: string,
): { page: readonly Exchange[]; fields: string[] } {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  const before = query.get('before');
  const asked = Number(query.get('limit') ?? PAGE_LENGTH);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, LONGEST_PAGE) : PAGE_LENGTH;
  const found = before === null ? -1 : list.findIndex(({ id }) => id === before);
  const end = before === null ? list.length : Math.max(found, 0);
  const page = list.slice(Math.max(0, end - limit), end);
  const [first] = page;
  const isLast = first === undefined || first === list[0];
  return {
    page,
    fields: isLast
      ? []
      : ['Link', `</_proxy/exchanges?before=${first.id}&limit=${limit}>; rel="next"`],
  };
}

function answerOne(
  request: IncomingMessage,
  response: ServerResponse,
  rest: string,
  { version, recorder, view }: ExchangesOptions & { view: ViewOptions },
): void {
  const [, id = '', what = ''] = /^\/([a-z0-9]+)(?:\/([a-z-]+))?$/.exec(rest) ?? [];
  const exchange = recorder.find(id);
  if (exchange === undefined) {
    sendError(response, 404, 'no such exchange: only the newest 500 are kept');
    return;
  }
  const asked = `${request.method === 'HEAD' ? 'GET' : request.method} ${what}`;
  switch (asked) {
    case 'GET ':
      sendJson(response, describeExchange(exchange, view));
      break;
    case 'GET report':
      sendJson(response, buildReport(exchange, { ...view, version }));
      break;
    case 'POST send-again':
      sendAgain(exchange, request.socket, (error, status) => {
        if (error === undefined) sendJson(response, { status });
        else sendError(response, 409, error);
      });
      break;
    default:
      sendError(response, 404, 'there is nothing at this path');
  }
}
