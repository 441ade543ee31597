/** How a failure looks from outside, what it is about, and the names of all of them. */

/**
 * `ended`: the session was closed at the end of the request, so that its cookie is set and deleted:
 * two Set-Cookie fields. `left`: the script died in the middle: one. `none`: it never began. `local`: the session of OpenEMR's own pages.
 */
export type SessionOutcome = 'ended' | 'left' | 'none' | 'local';

/** A message for the error log. `php`: text without Monolog's shape, as PHP itself or `error_log()` writes it. */
export type LogMessage =
  | {
      level: 'DEBUG' | 'ERROR' | 'EMERGENCY';
      message: string;
      context?: Readonly<Record<string, unknown>> | readonly unknown[];
    }
  | { php: string };

/** How one failure looks from outside. */
export interface Failure {
  status: number;
  /** Body as an object that is sent as JSON, or as text; empty for no body. */
  body: Readonly<Record<string, unknown>> | readonly unknown[] | string;
  /** Whether JSON is written without the version's extra escapes; default false. */
  plainJson?: boolean;
  /** Default: `application/json` for an object, PHP's own type otherwise. */
  contentType?: string;
  /** Default `ended`. */
  session?: SessionOutcome;
  /** Whether the CORS fields were already set; default true. */
  cors?: boolean;
  /**
   * Whether the answer carries `WWW-Authenticate` when the request had an Authorization field, which
   * PHP then turns into a 401.
   */
  challenge?: boolean;
  log?: readonly LogMessage[];
}

/** What a failure is about; each failure reads the members that it names in its texts. */
export interface FailureDetail {
  client?: string;
  message?: string;
  /** Path as PHP sees it, of the script and below, with the query. */
  path?: string;
  claims?: Readonly<Record<string, unknown>>;
  audience?: string;
  scope?: string;
  /** What is wrong with the scope's spelling, where the server says so. */
  problem?: string;
  knownScopes?: readonly string[];
  grantedScopes?: readonly string[];
  site?: string;
  resource?: string;
  hint?: string;
  /** PHP's word for a JSON value: `null`, `array`, `string`. */
  type?: string;
  /** Set when the form was larger than post_max_size. */
  contentLength?: number;
  postMaxBytes?: number;
  user?: string;
  /** Search parameter. */
  field?: string;
  /** Id of an export job. */
  job?: string;
  /** Messages by column and rule. */
  errors?: Readonly<Record<string, unknown>>;
}

/** Ways to fail at the token endpoint and beside it. */
export type OauthFailureName =
  | 'api-disabled'
  | 'database-down'
  | 'endpoint-unknown'
  | 'grant-type-unsupported'
  | 'private-key-unreadable'
  | 'assertion-type'
  | 'assertion-missing'
  | 'assertion-unparseable'
  | 'client-unknown'
  | 'client-public'
  | 'client-disabled'
  | 'jwks-missing'
  | 'jwks-unusable'
  | 'jwks-not-an-object'
  | 'assertion-refused'
  | 'redirect-uri'
  | 'scope-invalid'
  | 'system-user-missing'
  | 'registration-content-type'
  | 'registration-not-json'
  | 'registration-redirect-uris'
  | 'registration-scope-missing'
  | 'registration-scope-invalid'
  | 'registration-not-confidential'
  | 'registration-auth-method'
  | 'registration-jwks';

/** Ways to fail in a FHIR route. */
export type FhirFailureName =
  | 'resource-missing'
  | 'search-refused'
  | 'body-invalid'
  | 'row-invalid'
  | 'document-gone'
  | 'export-off'
  | 'export-refused'
  | 'export-job-unknown'
  | 'export-delete-unknown'
  | 'crash-since'
  | 'crash-reference-url'
  | 'crash-negative-count'
  | 'memory-exhausted';

/** Ways to fail at the checks that every version makes under /apis, and in a FHIR route. */
export type ApiFailureName =
  | 'token-revoked'
  | 'trusted-user-gone'
  | 'token-unknown'
  | 'system-user-missing'
  | 'scope-missing'
  | 'route-unknown'
  | FhirFailureName;
