import type { Exchange } from '../../base/contracts.ts';
import { describeExchange, summarise } from '../exchange-view.ts';
import { findValue } from '../field-view.ts';

/** Options of {@link buildReport}. */
export interface ReportOptions {
  /** Version of this program. */
  version: string;
  /** The proxy's own URL. */
  baseUrl: string;
}

/**
 * A report of one exchange to hand to somebody: never with values, whatever the page shows. Its
 * `request`, `response` and `error_log_lines` have the shape that `explain --exchange` reads.
 */
export function buildReport(exchange: Exchange, { version, baseUrl }: ReportOptions): object {
  const summary = summarise(exchange, false);
  const { requestFields, responseFields, hints } = describeExchange(exchange, {
    showValues: false,
    baseUrl,
  });
  return {
    report: { of: 'fhir-auth-proxy', version, format: 1 },
    exchange: summary,
    request: {
      method: summary.method,
      interaction: summary.interaction,
      parameters: summary.parameters,
      fields: requestFields,
    },
    response: {
      status: summary.status,
      content_type: findValue(exchange.wire?.returned, 'content-type'),
      fields: responseFields,
    },
    hints,
    error_log_lines: hints.flatMap(({ evidence }) =>
      evidence.startsWith('error log: ') ? [evidence.slice('error log: '.length)] : [],
    ),
  };
}
