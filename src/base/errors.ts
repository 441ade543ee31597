/**
 * Every failure that a user can meet is a {@link ProxyError}: a stable `code`, a message that says
 * what failed (the offending name in quotes), what was expected and what to do, never a secret.
 */

/** Options of {@link ProxyError}. */
export interface ProxyErrorOptions {
  /** The failure underneath; kept for logs at debug level, never shown to a client. */
  cause?: unknown;
  /** HTTP status that a client gets when this error ends an exchange; default 500. */
  status?: number;
  /** Seconds for a `Retry-After` field (RFC 9110 section 10.2.3); rounded up, at least 1. */
  retryAfterSeconds?: number;
}

/** Base of all errors of this program. */
export class ProxyError extends Error {
  override readonly name: string = 'ProxyError';
  /** Stable machine-readable name, lower-case with hyphens, such as `token-refused`. */
  readonly code: string;
  /** HTTP status for the client, 400 to 599. */
  readonly status: number;
  /** Seconds after which trying again makes sense, or undefined. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, options: ProxyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 500;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** JSON path in the config file (`routes[0].client.id`), a flag (`--port`) or an environment name. */
  path: string;
  /** What is wrong and what was expected; lower-case, no full stop. */
  message: string;
  /** What to do about it, as an imperative. */
  remedy?: string;
  /** Line in the config file, from 1, when the value stands there. */
  line?: number;
  /** Column in that line, from 1. */
  column?: number;
}

/** One problem with its place, without its remedy. */
export function describeProblem({ path, line, column, message }: ConfigProblem): string {
  const place = line === undefined ? '' : ` (line ${line}, column ${column ?? 1})`;
  return `${path}${place}: ${message}`;
}

/** The configuration cannot be used; holds every problem at once. Ends the program with exit code 2. */
export class ConfigError extends ProxyError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  /** Absolute path of the config file that lines and columns count in, when there is one. */
  readonly file: string | undefined;

  constructor(
    problems: readonly ConfigProblem[],
    options: ProxyErrorOptions & { file?: string } = {},
  ) {
    super(
      'config-invalid',
      problems
        .map((problem) => {
          const { remedy } = problem;
          return `${describeProblem(problem)}${remedy ? `. ${remedy}` : ''}`;
        })
        .join('\n'),
      options,
    );
    this.problems = problems;
    this.file = options.file;
  }
}

/** What the token endpoint answered, kept for hints; members are not enumerable on the error. */
export interface TokenEndpointAnswer {
  /** HTTP status, or undefined when no answer came. */
  status?: number;
  /** Raw body, cut at 64 KiB, or undefined when no answer came. */
  body?: string;
  /** `Content-Type` field of the answer. */
  contentType?: string;
  /** Server clock minus ours in milliseconds, from the `Date` field (whole seconds). */
  clockDifferenceMs?: number;
}

/** An attempt to get a token that failed; milliseconds since the epoch. */
export interface FailedAttempt {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** No access token could be had. `configuration` failures do not mend themselves by waiting. */
export class TokenError extends ProxyError {
  override readonly name = 'TokenError';
  /** `configuration`: somebody must change something; `transient`: worth trying again. */
  readonly kind: 'configuration' | 'transient';
  /** The answer of the token endpoint; not enumerable, so that logging the error does not dump it. */
  declare readonly answer: TokenEndpointAnswer | undefined;
  /** The same object in every error that tells of this attempt, however long after it; not enumerable. */
  declare readonly attempt: FailedAttempt | undefined;

  constructor(
    code: string,
    message: string,
    options: ProxyErrorOptions & {
      kind: 'configuration' | 'transient';
      answer?: TokenEndpointAnswer;
      attempt?: FailedAttempt;
    },
  ) {
    super(code, message, { status: 503, ...options });
    this.kind = options.kind;
    Object.defineProperty(this, 'answer', { value: options.answer, enumerable: false });
    Object.defineProperty(this, 'attempt', { value: options.attempt, enumerable: false });
  }
}

/** The client was not registered; `answer` is what the registration endpoint said. */
export class RegistrationError extends ProxyError {
  override readonly name = 'RegistrationError';
  /** Not enumerable, so that logging the error does not dump it. */
  declare readonly answer: TokenEndpointAnswer | undefined;

  constructor(
    code: string,
    message: string,
    options: ProxyErrorOptions & { answer?: TokenEndpointAnswer } = {},
  ) {
    super(code, message, options);
    Object.defineProperty(this, 'answer', { value: options.answer, enumerable: false });
  }
}

/**
 * Error types of RFC 9209 section 2.3 that this gateway reports in `Proxy-Status`, used as codes.
 */
export type UpstreamErrorCode =
  | 'dns_error'
  | 'destination_ip_unroutable'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'connection_limit_reached'
  | 'tls_protocol_error'
  | 'tls_certificate_error'
  | 'tls_alert_received'
  | 'http_response_incomplete'
  | 'http_response_timeout'
  | 'http_response_content_coding'
  | 'http_protocol_error'
  | 'http_request_error'
  | 'proxy_internal_error';

/** The upstream could not be asked or did not answer; `status` is 502 or 504. */
export class UpstreamError extends ProxyError {
  override readonly name = 'UpstreamError';
  override readonly code: UpstreamErrorCode;
  /** Node's or undici's code of the failure underneath, such as `ECONNREFUSED`. */
  readonly nodeCode: string | undefined;

  constructor(
    code: UpstreamErrorCode,
    message: string,
    options: ProxyErrorOptions & { nodeCode?: string } = {},
  ) {
    super(code, message, { status: 502, ...options });
    this.code = code;
    this.nodeCode = options.nodeCode;
  }
}
