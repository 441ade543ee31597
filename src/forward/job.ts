/** One exchange as the transport sees it: everything that `serve.ts` has decided before. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AccessToken, Exchange, Hint } from '../base/contracts.ts';
import type { ProxyError } from '../base/errors.ts';
import type { Interaction } from '../fhir/interaction.ts';
import type { RequestBody } from './request-body.ts';
import type { RawFields } from './response-fields.ts';

/**
 * A failing answer of the upstream (status 400 to 599, or a web page with 2xx) that fits into memory
 * and was not sent on yet.
 */
export interface FailingAnswer {
  status: number;
  fields: RawFields;
  contentType: string | undefined;
  /** The whole body, at most 64 KiB, as it came. */
  body: Buffer;
  /** The token that was sent, if any. */
  token: AccessToken | undefined;
}

/** What is added to a failing answer. */
export interface Explanation {
  hints: readonly Hint[];
  /** Further fields, names and values in turn; usually a `Link` to the hint. */
  fields: readonly string[];
  /** Takes the place of an empty body. */
  body?: { contentType: string; content: Buffer };
}

/** What the transport needs of an exchange. */
export interface ForwardJob {
  readonly exchange: Exchange;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly interaction: Interaction;
  /** Request target for the upstream: path of its FHIR base, then what followed the route's path. */
  readonly target: string;
  readonly body: RequestBody;
  /** Token to send, or undefined for an open path. */
  readonly token: AccessToken | undefined;
  /** The proxy's own FHIR base as this client calls it, such as `http://localhost:8088/fhir`. */
  readonly proxyBase: string;
  /** Fields for the answer, names and values in turn. */
  readonly addedFields: readonly string[];
  /** Milliseconds since the request head arrived. */
  elapsedMs: () => number;
  /** Explains a failing answer; must not reject. */
  explain(answer: FailingAnswer): Promise<Explanation>;
  /** Answers with an error of the proxy's own; where the head was sent already, the connection is cut. */
  fail: (error: ProxyError) => void;
}
