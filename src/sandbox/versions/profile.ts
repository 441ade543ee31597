/**
 * What differs from one OpenEMR version to the next, as data: numbers, names, and for every way to
 * fail the answer and the log lines. The code of the sandbox asks the profile and knows no version.
 */
import type { SandboxSettings } from '../exchange.ts';
import type { SessionOutcome } from '../fields.ts';

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
  claims?: Readonly<Record<string, unknown>>;
  audience?: string;
  scope?: string;
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
  /** Where PHP died: file below the web root, and line. */
  file?: string;
  line?: number;
}

/** Ways to fail at the token endpoint and beside it. */
export type OauthFailureName =
  | 'api-disabled'
  | 'site-missing'
  | 'site-unknown'
  | 'database-down'
  | 'endpoint-unknown'
  | 'form-missing'
  | 'grant-type-missing'
  | 'grant-type-unsupported'
  | 'private-key-unreadable'
  | 'assertion-type'
  | 'assertion-missing'
  | 'assertion-unparseable'
  | 'client-unknown'
  | 'client-public'
  | 'client-disabled'
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
  | 'route-crashed'
  | 'memory-exhausted';

/** A FHIR route as the scope check sees it. */
export interface ScopedRoute {
  method: string;
  /** First segment of the path; undefined at the base. */
  resource?: string;
  /** Operation with its `$`. */
  operation?: string;
  /** Whether the path names one resource by its id. */
  parameter?: string;
}

/** A search parameter that OpenEMR did not take. */
export interface SearchProblem {
  /** Resource type. */
  type: string;
  /** PHP class that noticed, below `OpenEMR\Services\FHIR\`. */
  service: string;
  field: string;
  message: string;
  by: 'search' | 'read';
}

/** Documents that versions escape differently. */
export type FhirDocument =
  | 'resource'
  | 'bundle'
  | 'capabilities'
  | 'smart-configuration'
  | 'operation-definitions';

/** Rules of the FHIR endpoints. */
export interface FhirRules {
  /** Scope that a route asks for. */
  requiredScope(route: ScopedRoute): string;
  /** Line that tells of a parameter that a search or a read did not take. */
  searchProblem(problem: SearchProblem): LogMessage;
  /** Documents in which `/` is written `\\/`. */
  escapesSlashes: ReadonlySet<FhirDocument>;
}

/** Ways to fail before a FHIR route runs, and at its scope check. */
export type ApiFailureName =
  | 'site-error'
  | 'site-of-token'
  | 'site-unknown'
  | 'public-key-missing'
  | 'bearer-refused'
  | 'database-down'
  | 'token-revoked'
  | 'trusted-user-gone'
  | 'token-unknown'
  | 'system-user-missing'
  | 'api-not-covered'
  | 'fhir-api-off'
  | 'not-an-api'
  | 'local-call'
  | 'scope-missing'
  | 'route-unknown'
  | FhirFailureName;

/** Rules for the client assertion. */
export interface AssertionRules {
  /** The only value of the `alg` header that passes. */
  algorithm: string;
  /** Seconds by which `exp`, `iat` and `nbf` may be off. */
  leewaySeconds: number;
}

/** One OpenEMR version. */
export interface VersionProfile {
  /** As `software.version` of the CapabilityStatement shows it. */
  version: string;
  /** Grants that the token endpoint knows. */
  grantTypes: readonly string[];
  assertion: AssertionRules;
  /** `expires_in` of an access token, seconds. */
  tokenLifetimeSeconds: number;
  /** PHP's post_max_size: a larger form arrives empty. */
  postMaxBytes: number;
  /** `token_endpoint_auth_method` values that a registration may name. */
  authMethods: readonly string[];
  /** Content type of a successful registration answer. */
  registrationType: string;
  /** Every scope that the server knows under the given settings, in the server's order. */
  knownScopes(settings: SandboxSettings): readonly string[];
  /** Scopes as openid-configuration and smart-configuration list them, doubles included. */
  announcedScopes(settings: SandboxSettings): readonly string[];
  /** Scopes as smart-configuration lists them: those of the FHIR API alone. */
  smartScopes(settings: SandboxSettings): readonly string[];
  /** Whether a scope needs no entry in the list, such as `site:default`. */
  tolerates(scope: string): boolean;
  /** Constraint messages of the assertion check. */
  constraints: {
    issuedInFuture: string;
    notYet: string;
    expired: string;
    signer: string;
    signature: string;
    issuer: string;
    audience: string;
    idMissing: string;
    idUsed: string;
  };
  /** Line that warns of a repeated assertion, beside the refusal itself. */
  replayWarning: string;
  /** What PHP warns of when an id_token is made. */
  idTokenWarning: LogMessage;
  oauthFailure(name: OauthFailureName, detail: FailureDetail): Failure;
  apiFailure(name: ApiFailureName, detail: FailureDetail): Failure;
  fhir: FhirRules;
}
