import type { Interaction } from '../fhir/interaction.ts';
/**
 * The nouns that everyone shares. No code, no imports of rooms: whoever needs another room's work
 * gets it through one of these, wired by `server.ts`.
 */
import type { ProxyError } from './errors.ts';

/** Time source; injected, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

/** Structured logger: fields first, then a sentence. A subset of pino's. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

/** An access token (RFC 6749 section 1.4) with what is known about it. */
export interface AccessToken {
  /** The token itself; a secret, never logged. Not enumerable. */
  readonly value: string;
  /** Grows by one with every token that its source obtained; tells old from new without comparing secrets. */
  readonly generation: number;
  /** When the token request was sent, milliseconds since the epoch. */
  readonly obtainedAtMs: number;
  /** When the token dies by `expires_in`, counted from `obtainedAtMs`; milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Scopes asked for. */
  readonly requestedScopes: readonly string[];
  /** Scopes of the answer; equal to the requested ones when the answer had no `scope` (RFC 6749 section 5.1). */
  readonly grantedScopes: readonly string[];
}

/** What can be told about a token without telling the token. */
export interface TokenState {
  /** `none`: not asked for yet; `live`: usable now; `failed`: last attempt failed and no live token is left. */
  state: 'none' | 'live' | 'failed';
  generation: number;
  obtainedAtMs?: number;
  expiresAtMs?: number;
  requestedScopes: readonly string[];
  grantedScopes: readonly string[];
  /** The last failure, if the last attempt failed. */
  lastError?: ProxyError;
  /** Token requests sent so far. */
  requests: number;
}

/** How a token request ended, and what it was for. */
export interface TokenRequestEnd {
  /** `granted`: a token came back; else the kind of its `TokenError`. */
  outcome: 'granted' | 'configuration' | 'transient';
  /** `first`: no usable token was in hand; `renewal`: in the background; `replacement`: a 401, or somebody at the inspector, called for it. */
  reason: 'first' | 'renewal' | 'replacement';
}

/** Where the token of an exchange came from. `stale`: the old one, used while renewing fails. */
export type TokenOrigin = 'none' | 'cached' | 'fresh' | 'stale';

/** Gives the access token of one route; caches, renews in the background, backs off after failures. */
export interface TokenSource {
  /**
   * The token in hand if it may be used now, else undefined. Synchronous: this is the hot path.
   * Starts a background renewal when one is due.
   */
  current(): AccessToken | undefined;
  /** The token in hand, or a new one; concurrent callers share one token request. Rejects with TokenError. */
  get(): Promise<AccessToken>;
  /**
   * A token newer than the refused one: the one in hand if its generation is higher, else a renewed
   * one (single-flight). Rejects with TokenError.
   */
  replace(refused: AccessToken): Promise<AccessToken>;
  /** Whether the last attempt failed: what `current` and `get` give is then an old token, used while renewing fails. */
  isFailing(): boolean;
  /** Forgets failures and back-off, so that the next call asks at once: key or config has changed. */
  reset(): void;
  state(): TokenState;
  /** Stops timers and closes connections. */
  close(): Promise<void>;
}

/** How sure a hint is. `certain`: a log line or an unambiguous body decided; `likely`: status and circumstances. */
export type Certainty = 'certain' | 'likely';

/** An explained failure. */
export interface Hint {
  /** Stable id, such as `client-disabled`; also the last segment of `/_proxy/hints/ID`. */
  id: string;
  certainty: Certainty;
  /** A few words. */
  title: string;
  /** What it means. */
  cause: string;
  /** What to do, as an imperative with the exact screen, field or command. */
  fix: string;
  /** What decided: the log line, the body or the circumstances; never a secret. */
  evidence: string;
}

/** Times of an exchange in milliseconds, measured with a monotonic clock from the arrival of the request head. */
export interface ExchangeTimings {
  /** Until the gate let the request in. */
  gateMs?: number;
  /** Until the token was in hand. */
  tokenMs?: number;
  /** Until the request head was handed to a connected socket; of the last attempt. */
  sentMs?: number;
  /** Until the head of the final upstream answer arrived. */
  upstreamMs?: number;
  /** Until the answer was sent whole, or the exchange ended otherwise. */
  totalMs?: number;
}

/** How an exchange ended. */
export type Outcome =
  | 'pending'
  /** The upstream's answer was passed on. */
  | 'forwarded'
  /** This proxy answered by itself: a reserved path, a preflight. */
  | 'answered'
  /** The gate refused the request. */
  | 'refused'
  /** No token, no upstream: this proxy answered with an error. */
  | 'failed'
  /** The upstream answered 2xx with a web page where FHIR was asked for; that was passed on. */
  | 'not-fhir'
  /** The client left before the end. */
  | 'client-gone'
  /** The upstream died in the middle of its answer; the client's connection was destroyed. */
  | 'upstream-died';

/**
 * What went over the wire, as it was: credentials and health data included. In memory only; whoever
 * shows any of it hides the values first. Field lists are names and values in turn.
 */
export interface WireRecord {
  /** Request target as it came: path and query. */
  readonly target: string;
  /** Fields as the client sent them; undefined when the fields were dropped to save memory. */
  received?: readonly string[];
  /** Fields as sent to the upstream, of the last attempt. */
  sent?: readonly string[];
  /** Names of the upstream's fields that were not passed on. */
  withheld?: readonly string[];
  /** Fields as sent to the client. */
  returned?: readonly string[];
  /** Those of them that the proxy put there. */
  added?: readonly string[];
  /** Takes the bodies as they pass; only there when values are shown. */
  readonly bodies?: BodySink;
  /** Whether the recorder does not list the exchange, unless it fails: too many came at once. */
  leftOut?: boolean;
}

/** Takes the chunks of bodies as they pass; keeps a bounded part, must not change them. */
export interface BodySink {
  /** From the client to the upstream. */
  request(chunk: Uint8Array): void;
  /** From the proxy to the client. */
  response(chunk: Uint8Array): void;
}

/** One request and everything that becomes of it. Filled in as it passes through the rooms. */
export interface Exchange {
  /** Unique in this process, short, in order of arrival. */
  readonly id: string;
  /** Arrival, milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly method: string;
  /** Path of the route that took it, such as `/fhir`; undefined when none did. */
  route?: string;
  /** What is asked in FHIR's terms; undefined outside a route. */
  interaction?: Interaction;
  /** Names (never values) of the query's parameters, in order, without duplicates. */
  parameterNames?: readonly string[];
  /** Request target as asked (path and query), which may hold health data; set only when values are shown. */
  target?: string;
  /** For the inspector. */
  wire?: WireRecord;
  /** Status sent to the client; 0 while none was. */
  status: number;
  outcome: Outcome;
  /** Bytes of request body passed on. */
  requestBytes: number;
  /** Bytes of response body sent. */
  responseBytes: number;
  tokenOrigin: TokenOrigin;
  /** Whether a 401 made the proxy renew the token and send the request again. */
  replayed: boolean;
  timings: ExchangeTimings;
  /**
   * The proxy's own error, when `outcome` is `refused`, `failed` or `upstream-died`: its words alone. Exchanges
   * are kept, and an `Error` holds every object on its stack until that is read.
   */
  error?: Pick<ProxyError, 'code' | 'message'>;
  hints: readonly Hint[];
}
