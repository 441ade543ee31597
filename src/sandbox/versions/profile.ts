/**
 * The state that every part shares, and what differs from one OpenEMR version to the next: numbers, names, the rules that changed, and for
 * every way to fail the answer and the log lines. The code of the sandbox asks the profile and knows
 * no version.
 */
import type { Clock } from '../../base/contracts.ts';
import type { ErrorLog } from '../error-log.ts';
import type {
  AdmittedRequest,
  Field,
  SandboxAnswer,
  SandboxRequest,
  FieldOptions,
  SandboxClient,
  SandboxSettings,
  TokenRow,
} from '../exchange.ts';
import type { FaultSettings } from '../faults.ts';
import type { CapabilityRules, ServerFacts } from '../fhir/capabilities.ts';
import type { ExportJob } from '../fhir/export-job.ts';
import type { Records } from '../fhir/records.ts';
import type { ResourceType } from '../fhir/resource-types.ts';
import type { JsonObject, Resource } from '../fhir/resource.ts';
import type { ParsedJwt } from '../jwt.ts';
import type { PhpParameters } from '../php-form.ts';
import type { ServerKeys } from '../server-keys.ts';
import type {
  ApiFailureName,
  Failure,
  FailureDetail,
  LogMessage,
  OauthFailureName,
} from './failure.ts';

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
  /** PHP class that noticed, below `OpenEMR\\Services\\FHIR\\`. */
  service: string;
  field: string;
  message: string;
  by: 'search' | 'read' | 'export';
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
  /** In the order of the CapabilityStatement. */
  types: readonly ResourceType[];
  /** Scope that a route asks for. */
  requiredScope(route: ScopedRoute): string;
  /** Line about a parameter that a search or a read did not take. */
  searchProblem(problem: SearchProblem): LogMessage;
  /** Documents in which `/` is written `\\/`. */
  escapesSlashes: ReadonlySet<FhirDocument>;
  /** A stored resource as the version shows it. */
  present(resource: Resource): Resource;
  /** What the CapabilityStatement says beside the resource types. */
  capabilities: CapabilityRules;
  /** Line that the CapabilityStatement leaves in the log. */
  capabilitiesWarning?: LogMessage;
  /** The SMART configuration. @param scopes as `ScopeRules.smart` lists them */
  smartConfiguration(facts: ServerFacts, scopes: readonly string[]): JsonObject;
  /** Path of a kick-off as the status of its job shows it. */
  exportRequest(request: { site: string; resource: string; query: string }): string;
  /** Whether the export of a group whose id is no UUID leaves a line in the log. */
  logsBadGroup: boolean;
}

/** A scope that was refused: the server does not know it. */
export interface UnknownScope {
  scope: string;
  /** What is wrong with its spelling. */
  problem?: string;
  knownScopes?: readonly string[];
}

/** Rules of scopes. */
export interface ScopeRules {
  /** As openid-configuration lists them, doubles included. */
  announced(settings: SandboxSettings): readonly string[];
  /** As smart-configuration lists them. */
  smart(settings: SandboxSettings): readonly string[];
  /** The first that the server does not know. */
  findUnknown(scopes: readonly string[], settings: SandboxSettings): UnknownScope | undefined;
  /** Whether a client that is registered for some scopes is given another one when it asks. */
  covers(registered: readonly string[], asked: string): boolean;
  /** Whether a token with some scopes may do what needs another one. */
  permits(granted: readonly string[], needed: string): boolean;
  /** Search parameters that a token's scopes add to every search of a type and every read. */
  restrictions(granted: readonly string[], needed: string): ReadonlyMap<string, readonly string[]>;
}

/** Rules for the client assertion. */
export interface AssertionRules {
  /** The only value of the `alg` header that passes. */
  algorithm: string;
  /** Seconds by which `exp`, `iat` and `nbf` may be off. */
  leewaySeconds: number;
  /** Whether an empty `client_assertion` counts as none. */
  emptyIsMissing: boolean;
  /** Refuses claims before the signature is looked at. */
  refuseClaims(jwt: ParsedJwt, clientId: string, nowMs: number): Failure | undefined;
  /** Constraint messages of the check that follows. */
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
  /** Warns of a repeated assertion, beside the refusal itself. */
  replayWarning(jwt: ParsedJwt): LogMessage;
}

/** Rules of the token endpoint beside those of the assertion and of scopes. */
export interface TokenRules {
  /** Grants that it knows. */
  grantTypes: readonly string[];
  /** `expires_in` of an access token, seconds. */
  lifetimeSeconds: number;
  /** The parameters, or why there are none. @param postMaxBytes PHP's post_max_size */
  readForm(request: SandboxRequest, postMaxBytes: number): Promise<PhpParameters | Failure>;
  /** Claims of an access token that not every version has. */
  claims(granted: readonly string[], issuer: string, site: string): Record<string, unknown>;
  /** What PHP warns of when an id_token is made. */
  idTokenWarning?: LogMessage;
}

/** Rules of registration. */
export interface RegistrationRules {
  /** Content type of a success. */
  answerType: string;
  /** Whether a success carries the cache fields of a stored grant. */
  stored: boolean;
  /** `token_endpoint_auth_method` values that may be named. */
  authMethods: readonly string[];
  /** Refuses what the checks of every version let pass. */
  refuse(metadata: Readonly<Record<string, unknown>>): Failure | undefined;
  /** What PHP warns of while it stores the client. */
  warnings(metadata: Readonly<Record<string, unknown>>): readonly LogMessage[];
}

/** Rules between Apache and the routes. */
export interface HttpRules {
  /** PHP's post_max_size: a larger form arrives empty. */
  postMaxBytes: number;
  /** Whether markup and quotes within JSON strings are written as `\\u` escapes. */
  hexesMarkup: boolean;
  /** Whether OPTIONS is answered before any route is looked for. */
  answersOptions: boolean;
  /** The server's own JWK Set as text. */
  printKeySet(keySet: object): string;
  /** Whether a `_REWRITE_COMMAND` in a form body replaces the path, as one in the query does. */
  rewritesByForm: boolean;
  /** Method that a request is taken for, or why it is refused. */
  methodOf(request: SandboxRequest): string | Failure;
  /** What a request for an existing file of PHP, such as `/apis/dispatch.php/default/fhir`, is taken for. */
  scriptEndpoint(path: string): string;
  /** Fields of an answer under /apis. */
  apiFields(request: SandboxRequest, nowMs: number, options: FieldOptions): Field[];
  /** Fields of a file that is sent as an attachment. */
  fileFields(request: SandboxRequest, nowMs: number, fileName: string): Field[];
  /** Fields of an answer under /oauth2. */
  oauthFields(request: SandboxRequest, nowMs: number, options: FieldOptions): Field[];
  /** Site of a path under /oauth2, or why it has none. */
  oauthSite(endpoint: string): string | Failure;
  /** Answers some requests under /oauth2 before anything else does. */
  interceptOauth(request: SandboxRequest): Failure | undefined;
  /**
   * The way of a request under /apis up to its FHIR route: site, token, switches.
   *
   * @param endpoint what `_REWRITE_COMMAND` says, with a leading slash: `/default/fhir/Patient`
   * @param redirectUrl decoded path that was asked for
   */
  admit(
    request: SandboxRequest,
    state: SandboxState,
    endpoint: string,
    redirectUrl: string,
  ): Promise<AdmittedRequest | { answer: SandboxAnswer }>;
}

/** One OpenEMR version. */
export interface VersionProfile {
  /** Number of the release. */
  version: string;
  http: HttpRules;
  token: TokenRules;
  assertion: AssertionRules;
  scopes: ScopeRules;
  registration: RegistrationRules;
  fhir: FhirRules;
  oauthFailure(name: OauthFailureName, detail: FailureDetail): Failure;
  apiFailure(name: ApiFailureName, detail: FailureDetail): Failure;
}

/** Everything that the sandbox remembers. Lives in memory and dies with the process. */
export interface SandboxState {
  /** Rules and texts of the OpenEMR version that is played. */
  readonly version: VersionProfile;
  /** May be changed at any time; read anew by each request. */
  readonly settings: SandboxSettings;
  /** By client id. */
  readonly clients: Map<string, SandboxClient>;
  /** By token id (`jti`). */
  readonly tokens: Map<string, TokenRow>;
  /** `jti` of every assertion that ever bought a token, of any client. */
  readonly usedAssertions: Set<string>;
  /** Client ids that have a row in `oauth_trusted_user`. */
  readonly trustedUsers: Set<string>;
  /** The user `oe-system`, as whom every system client acts; `missing` in a broken installation. */
  readonly systemUser: { uuid: string; missing: boolean };
  /** Resources and stored files. */
  readonly records: Records;
  /** Rows of `export_job`, by UUID. */
  readonly exportJobs: Map<string, ExportJob>;
  readonly keys: ServerKeys;
  readonly faults: FaultSettings;
  readonly log: ErrorLog;
  readonly clock: Clock;
}
