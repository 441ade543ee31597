/** Answers of the proxy's own when something fails: an OperationOutcome and `Proxy-Status` (RFC 9209). */
import { STATUS_CODES, type ServerResponse } from 'node:http';

import type { Exchange, Hint } from '../base/contracts.ts';
import { ProxyError, TokenError, UpstreamError } from '../base/errors.ts';
import { buildEarlyFields, endAnswer } from '../forward/early-answer.ts';
import { buildHelpFields } from '../hints/help-link.ts';
import { buildOperationOutcome, FHIR_JSON, issueTypeOfStatus } from '../hints/operation-outcome.ts';

/** An answer of the proxy's own. */
export interface ErrorAnswer {
  /** Names and values in turn. */
  fields: string[];
  body: Buffer;
}

/**
 * Answers an exchange with an error; does nothing when its head was sent already.
 *
 * @param added further fields, names and values in turn
 * @param origin the proxy's own origin as this client calls it, for a link to the first hint
 */
export function answerWithError(
  response: ServerResponse,
  exchange: Exchange,
  error: ProxyError,
  added: readonly string[] = [],
  origin?: string,
): void {
  exchange.error = { code: error.code, message: error.message };
  if (response.headersSent || response.destroyed) return;
  exchange.status = error.status;
  const { fields, body } = buildErrorAnswer(error, exchange.hints);
  exchange.responseBytes = body.length;
  fields.push('Server-Timing', buildOwnTiming(exchange), ...added);
  if (!added.includes('Connection')) fields.push(...buildEarlyFields(response));
  if (origin !== undefined) fields.push(...buildHelpFields(exchange.hints, origin));
  if (exchange.wire !== undefined) exchange.wire.returned = fields;
  response.writeHead(error.status, STATUS_CODES[error.status] ?? 'Error', fields);
  endAnswer(response, body);
}

/** Value of `Server-Timing` for an answer of the proxy's own: milliseconds of the gate, and of waiting for a token. */
export function buildOwnTiming({ timings: { gateMs = 0, tokenMs } }: Exchange): string {
  const token = tokenMs === undefined ? '' : `, token;dur=${(tokenMs - gateMs).toFixed(1)}`;
  return `proxy;dur=${gateMs.toFixed(1)}${token}`;
}

/** The OperationOutcome that tells an error, and the fields that belong to it. */
export function buildErrorAnswer(error: ProxyError, hints: readonly Hint[] = []): ErrorAnswer {
  const outcome = buildOperationOutcome({
    code: isConfiguration(error) ? 'login' : issueTypeOfStatus(error.status),
    diagnostics: error.message,
    hints,
  });
  const body = Buffer.from(JSON.stringify(outcome));
  const fields = [
    'Content-Type',
    FHIR_JSON,
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Proxy-Status',
    buildProxyStatus(error),
  ];
  if (error.retryAfterSeconds !== undefined) {
    fields.push('Retry-After', String(Math.max(1, Math.ceil(error.retryAfterSeconds))));
  }
  return { fields, body };
}

/** Value of a `Proxy-Status` field; its error types are those of RFC 9209 section 2.3. */
function buildProxyStatus(error: ProxyError): string {
  return `fhir-auth-proxy; error=${errorType(error)}; details="${error.code}"`;
}

/** Whether waiting does not mend it: client, key or scopes are refused. */
function isConfiguration(error: ProxyError): boolean {
  return error instanceof TokenError && error.kind === 'configuration';
}

function errorType(error: ProxyError): string {
  if (error instanceof UpstreamError) return error.code;
  if (isConfiguration(error)) return 'proxy_configuration_error';
  if (error instanceof TokenError) return 'destination_unavailable';
  if (error.code === 'loop-detected') return 'proxy_loop_detected';
  return error.status < 500 ? 'http_request_denied' : 'proxy_internal_error';
}

/** The error of a defect of this program. */
export function internalError(cause: unknown): ProxyError {
  return new ProxyError(
    'proxy-internal-error',
    'the proxy itself failed; its log at level "debug" tells more',
    { cause },
  );
}
