/**
 * What is known about a failure. Pure data: whoever watched the exchange fills in what it knows and
 * leaves out the rest; nothing here is ever shown as it is.
 */
import type { Interaction } from '../fhir/interaction.ts';
import type { LogEntry } from './error-log/entry.ts';

/** What was being done when it failed. */
export type Stage = 'discovery' | 'token' | 'fhir' | 'registration';

/** Facts about the client assertion (RFC 7523) of a refused token request; never the assertion. */
export interface SignedAssertion {
  /** Value of its `aud` claim. */
  aud: string;
  /** `alg` of its header. */
  alg: string;
  /** `kid` of its header. */
  kid?: string;
  /** `token_endpoint` that discovery announces, if it could be had. */
  announcedTokenEndpoint?: string;
  /** Modulus length of an RSA key, or the size of the curve. */
  keyBits?: number;
}

/** Evidence for {@link explain}. Every member but `logEntries` may be missing. */
export interface Evidence {
  /** Undefined when nothing but log lines is at hand: every stage is then thinkable. */
  stage?: Stage;
  /** HTTP status of the answer; undefined when none came. */
  status?: number;
  /** Raw body of the answer, cut at 64 KiB. */
  body?: string;
  /** `Content-Type` field of the answer. */
  contentType?: string;
  /** Messages of the error log that belong to this exchange, in the order of the log. */
  logEntries: readonly LogEntry[];
  /** Whether lines of other requests may be among them: then none of them proves anything. Default false. */
  logAmbiguous?: boolean;
  /** Whether a log was followed at the time: only then does "nothing was logged" mean something. */
  logFollowed?: boolean;
  /** Code of Node or undici when no answer came: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  nodeCode?: string;
  /** Code of the proxy's own error when it did not ask at all, such as `token-endpoint-elsewhere`. */
  proxyCode?: string;
  /** Whether "tls.ca" of the route names certificates to trust. */
  hasAuthority?: boolean;

  /** Method as sent to the upstream. */
  requestMethod?: string;
  /** Request target as sent to the upstream, without query; may hold ids, so it is never shown. */
  requestPath?: string;
  /** The request in FHIR's terms. */
  interaction?: Interaction;
  /** Names of query parameters; at stage `token` the names of the form. */
  parameterNames?: readonly string[];
  /** Scheme of the `Authorization` field that went to the upstream; default unknown. */
  authorization?: 'none' | 'bearer' | 'other';

  /** FHIR base URL of the upstream. */
  fhirBase?: string;
  /** URL that the token request went to. */
  tokenEndpoint?: string;
  /** Scopes asked for. */
  requestedScopes?: readonly string[];
  /** Scopes of the token in use, or of the token answer. */
  grantedScopes?: readonly string[];
  /** `scopes_supported` of discovery; OpenEMR nests it in a second array. */
  scopesSupported?: readonly (string | readonly string[])[];

  /** The assertion of the token request. */
  signed?: SignedAssertion;
  /** Server clock minus ours in milliseconds, from the `Date` field (whole seconds). */
  clockDifferenceMs?: number;
  /** Whether the first RSA key of the JWK Set that the server uses is the public half of ours. */
  firstRsaKeyIsOurs?: boolean;
  /** Age of the access token when it was refused, milliseconds. */
  tokenAgeMs?: number;
  /** `expires_in` of that token in milliseconds. */
  tokenLifetimeMs?: number;
  /** Milliseconds since the same client and key last got a token; undefined if they never did. */
  lastWorkedMs?: number;
  /** Version of OpenEMR, such as `7.0.3`, if known; when only its family is, one of that family. */
  serverVersion?: string;
}
