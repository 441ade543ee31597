/**
 * The seam of the sandbox: what a request is to it, what an answer is, what the tables hold. Path of a request through the files:
 *
 *   server.ts (HTTP) -> apache.ts (limits, rewriting) -> oauth/ or access.ts (token, scope) -> fhir/
 */
import type { RequestLog } from './error-log.ts';
import type { SessionOutcome } from './versions/failure.ts';

/** A request, read to its end. */
export interface SandboxRequest {
  /** Method as sent. */
  method: string;
  /** `https` when the connection was TLS: what PHP sees as REQUEST_SCHEME. */
  scheme: 'http' | 'https';
  /** Request target as sent, still percent-encoded. */
  target: string;
  /** Part of the target before the `?`, still percent-encoded. */
  path: string;
  /** Part of the target after the first `?`, or the empty string. */
  query: string;
  /** Fields by lower-case name; values of a repeated field joined with `, `. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Names and values in turn, as received. */
  rawHeaders: readonly string[];
  /** The whole body; empty when there was none, or when it was longer than PHP's post_max_size. */
  body: Buffer;
  /** Length of the body as sent. */
  bodyBytes: number;
  /** `address:port` of the client, for the error log. */
  client: string;
  /** Port on which the request came in. */
  localPort: number;
  /** Messages for the error log; written as one line when the answer is ready. */
  log: RequestLog;
}

/** A field of an answer: name and value. A repeated name is a repeated field. */
export type Field = [name: string, value: string];

/** How far a request came. */
export interface FieldOptions {
  /** Default `ended`. */
  session?: SessionOutcome;
  /** Whether the CORS fields were set; default true. */
  cors?: boolean;
  /** The answer of a successful grant, whose library adds its own cache fields; default false. */
  stored?: boolean;
  /** Value of the WWW-Authenticate field. */
  challenge?: string;
}

/**
 * An answer. Fields that Apache adds to every answer (Date, Server, Strict-Transport-Security,
 * X-XSS-Protection, Connection and the framing fields) are not in it; `server.ts` sets them.
 */
export interface SandboxAnswer {
  status: number;
  /** Reason phrase; default: the registered one of the status. */
  statusText?: string;
  fields: Field[];
  body: string | Buffer | AsyncIterable<Buffer>;
  /** Made by Apache itself, without PHP: no security fields. Default false. */
  byApache?: boolean;
}

/** A FHIR request as OpenEMR's dispatcher hands it to a route: found, allowed in, and rewritten. */
export interface FhirRequest extends SandboxRequest {
  /** Site of the path, such as `default`. */
  site: string;
  /**
   * Path below the FHIR base with its leading slash, decoded once, such as `/Patient/123`; empty for
   * the base itself without a slash. A `_REWRITE_COMMAND` parameter has already replaced it, exactly as
   * in OpenEMR.
   */
  resource: string;
  /** Apache's REDIRECT_URL: the decoded path that was asked for, untouched by `_REWRITE_COMMAND`; `Bundle.link` shows it. */
  redirectUrl: string;
}

/** What the access token of a FHIR request allows. */
export interface Access {
  /** Client that the token was issued to. */
  clientId: string;
  /** Granted scopes, `site:default` included. */
  scopes: readonly string[];
}

/** A request that may go to a FHIR route. `access` is undefined on the routes that need no token. */
export interface AdmittedRequest {
  request: FhirRequest;
  access: Access | undefined;
}

/** OpenEMR's global settings that the sandbox knows; the comment names OpenEMR's own key. */
export interface SandboxSettings {
  /** `site_addr_oath`: origin of every absolute URL; empty: taken from each request. */
  siteAddress: string;
  /** `rest_fhir_api`. */
  fhirApi: boolean;
  /** `rest_api`. */
  standardApi: boolean;
  /** `rest_portal_api`. */
  portalApi: boolean;
  /** `rest_system_scopes_api`. */
  systemScopes: boolean;
  /** `system_error_logging` = DEBUG: writes debug lines too. */
  debugLog: boolean;
  /** Seconds that an access token lives; the version's own number unless a test wants less. */
  tokenLifetimeSeconds: number;
  /** Milliseconds that Apache waits for PHP before it answers 504 (ProxyTimeout). */
  gatewayTimeoutMs: number;
  /** Sites that have a folder under `sites/` and no `sqlconf.php` in it, besides the ready `default`. */
  emptySites: readonly string[];
}

/** A row of `oauth_clients`. */
export interface SandboxClient {
  id: string;
  name: string;
  /** Registered with `application_type: private`. */
  confidential: boolean;
  enabled: boolean;
  /** Scopes of the registration, space-separated, as stored. */
  scope: string;
  /** JWK Set text as stored; may be broken, the server checks it at the token request only. */
  jwks: string;
  jwksUri: string;
  redirectUris: readonly string[];
  /** When it registered, milliseconds since the epoch. */
  registeredAtMs: number;
}

/** A row of `api_token`. */
export interface TokenRow {
  /** `jti` of the access token. */
  id: string;
  clientId: string;
  /** Whole seconds since the epoch, cut: it may lie before the token's own `exp`. */
  expiresAtSeconds: number;
  revoked: boolean;
  /** Counts as expired whatever the clock says; set by the fault `token-expired: "issued"`. */
  expired: boolean;
  scopes: readonly string[];
}
