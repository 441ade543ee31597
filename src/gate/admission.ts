/** What the gate says about a request: the only thing that leaves this room. */
import type { IncomingMessage } from 'node:http';

import type { ProxyError } from '../base/errors.ts';
import type { RouteConfig } from '../config/schema.ts';
import type { Interaction } from '../fhir/interaction.ts';

/** Judges a request body that must be known before anything of it may reach the upstream. */
export interface BodyJudge {
  /** Most bytes to hold; a body that is longer is refused with {@link BodyJudge.tooLarge}. */
  readonly maxBytes: number;
  /** The reason to refuse the whole body, or undefined when it may pass, byte for byte. */
  judge(body: Buffer): ProxyError | undefined;
  /** The refusal of a body longer than `maxBytes`. */
  tooLarge(): ProxyError;
}

/** The request may go to a route's upstream. */
export interface RouteAdmission {
  readonly kind: 'route';
  readonly route: RouteConfig;
  /**
   * What follows the route's path, to be appended to the path of the upstream's FHIR base: empty, or
   * beginning with a slash or a question mark; the client's bytes untouched.
   */
  readonly target: string;
  readonly interaction: Interaction;
  /** Names (never values) of the query's parameters, in order, without duplicates. */
  readonly parameterNames: readonly string[];
  /** Fields to add to the answer, raw (`[name, value, …]`); empty unless a browser asks. */
  readonly corsFields: readonly string[];
  /** Present when the body decides as well; such a body is held whole before it is passed on. */
  readonly judgeBody?: BodyJudge;
}

/** The request is for the proxy itself: `/`, `/_proxy`, below `/_proxy/`, `/.well-known/jwks.json`. */
export interface ReservedAdmission {
  readonly kind: 'reserved';
  readonly path: string;
  /** Query without its question mark; empty when there is none. */
  readonly query: string;
  /** Fields to add to the answer, raw; empty unless a browser asks. */
  readonly corsFields: readonly string[];
}

/** An `OPTIONS` request, which the proxy answers by itself with 204 and these raw fields. */
export interface PreflightAdmission {
  readonly kind: 'preflight';
  readonly fields: readonly string[];
}

/** The request is refused. */
export interface Refusal {
  readonly kind: 'refused';
  readonly error: ProxyError;
  /** Raw fields that belong on the answer: `Allow`, `WWW-Authenticate`, `Connection`, CORS. */
  readonly fields?: readonly string[];
}

/** What the gate says about a request. */
export type Admission = RouteAdmission | ReservedAdmission | PreflightAdmission | Refusal;

/** What the gate looks at of a request. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'> & {
  /** From the request line; `1.1` when it is left out. */
  readonly httpVersion?: string;
  /** The connection; once the framing of a request on it was refused, so is every later request. */
  readonly socket?: object;
};

/** Decides who may ask (`Host`, `Origin`, API key) and what may be asked (target, method, FHIR interaction). */
export interface Gate {
  /** Looks at the request head only; synchronous, never throws, changes nothing about the request. */
  admit(request: RequestHead): Admission;
}
