/**
 * What every log object passes before it is written: secrets are replaced by a word in brackets,
 * whatever the name of the field that holds them. Exchanges do not pass through here; their records
 * hold nothing secret by construction.
 */

/** Field names, lower-case, whose values are never shown. */
const SECRET_NAMES = new Set([
  'authorization',
  'proxy-authorization',
  'proxyauthorization',
  'cookie',
  'cookies',
  'set-cookie',
  'setcookie',
  'apicsrftoken',
  'access_token',
  'accesstoken',
  'refresh_token',
  'refreshtoken',
  'id_token',
  'idtoken',
  'registration_access_token',
  'client_assertion',
  'clientassertion',
  'assertion',
  'client_secret',
  'clientsecret',
  'password',
  'passphrase',
  'privatekey',
  'signingkey',
]);

/** Private members of a JWK (RFC 7518 section 6); they are secret only next to a `kty`. */
const PRIVATE_JWK_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
/** Longer texts are cut: nobody reads them in a log, and patterns cost time by the length. */
const MAX_TEXT = 16_384;

/** Cheap test that tells whether {@link redactText} has any work; most texts stop here. */
const SUSPICIOUS =
  /eyJ|bearer|basic|dpop|-----BEGIN|cookie|csrf|authorization|token|assertion|secret|password|"(?:d|p|q|dp|dq|qi|k)"|:\/\//i;

type Pattern = readonly [shape: RegExp, replacement: string];

const CREDENTIALS: readonly Pattern[] = [
  [/-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g, '[PEM]'],
  [/\beyJ[\w-]{4,}(?:\.[\w-]*){0,4}/g, '[token]'],
  [/\b(Bearer|DPoP)(\s+|%20|\+)(?!\[)[\w.~+/=%-]{4,}/gi, '$1 [redacted]'],
  // "Basic metabolic panel" is no credential: those have a digit or an equals sign.
  [/\b(Basic)(\s+)(?=[A-Za-z+/]*[\d=])[\w+/=]{8,}/gi, '$1 [redacted]'],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie|apicsrftoken)("\s*:\s*")[^"]*/gi, '$1$2[redacted]'],
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|apicsrftoken)(["']?\s*[:=]\s*)(?!")[^\r\n]+/gi,
    '$1$2[redacted]',
  ],
  [
    /\b((?:access|refresh|id|registration_access)_token|(?:client_)?assertion|client_secret|password)(["']?\s*[:=]\s*["']?)(?!\[)[^\s"'&,;}]+/gi,
    '$1$2[redacted]',
  ],
  [/("(?:d|p|q|dp|dq|qi|k)"\s*:\s*")[^"]*/g, '$1[redacted]'],
];

const URL_PARTS: readonly Pattern[] = [
  // The query of a URL can hold health data: Patient?name=…
  [/(https?:\/\/[^\s?#"'<>]{1,500})\?[^\s"'<>]+/gi, '$1?…'],
  [/(https?:\/\/)[^\s/@"'<>]{1,500}@/gi, '$1[redacted]@'],
];

/** The text with everything that looks like a credential or a key replaced. */
export function redactCredentials(text: string): string {
  return SUSPICIOUS.test(text) ? replaceAll(text, CREDENTIALS) : text;
}

/** Like {@link redactCredentials}, cut at 16,384 characters, and the queries and users of URLs replaced too. */
export function redactText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return SUSPICIOUS.test(cut) ? replaceAll(cut, [...CREDENTIALS, ...URL_PARTS]) : cut;
}

function replaceAll(text: string, patterns: readonly Pattern[]): string {
  return patterns.reduce((result, [shape, by]) => result.replace(shape, by), text);
}

/** How much of an error is shown. */
export interface RedactionOptions {
  /** Whether errors show their stack; for debugging only. */
  stacks: boolean;
}

/** What is logged of an error. */
export interface LoggedError {
  /** Stable code of this program, Node or undici; the class name when there is none. */
  code: string;
  message: string;
  /** Codes of the causes underneath, outermost first. */
  causes?: string[];
  stack?: string;
}

/** What may be logged of an error: code, message and the codes of its causes; the stack on demand. */
export function describeError(error: Error, options: RedactionOptions): LoggedError {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 8; cause = cause.cause) {
    causes.push(codeOf(cause));
  }
  return {
    code: codeOf(error),
    message: redactText(error.message),
    ...(causes.length === 0 ? {} : { causes }),
    ...(options.stacks && error.stack !== undefined ? { stack: redactText(error.stack) } : {}),
  };
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

/**
 * A copy of the fields of a log call that may be written. Bounded: values deeper than 6 levels, and
 * items after the first 100, are left out.
 */
export function redactFields(fields: object, options: RedactionOptions): Record<string, unknown> {
  if (fields instanceof Error) return { error: describeError(fields, options) };
  return redactObject(fields, options, 1);
}

function redactObject(
  fields: object,
  options: RedactionOptions,
  depth: number,
): Record<string, unknown> {
  const isJwk = 'kty' in fields;
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MAX_ITEMS)) {
    const secret =
      (SECRET_NAMES.has(name.toLowerCase()) && holdsText(value)) ||
      (isJwk && PRIVATE_JWK_MEMBERS.has(name));
    result[redactText(name)] = secret ? '[redacted]' : redactValue(value, options, depth + 1);
  }
  return result;
}

/** A count or a flag under a secret's name (`assertion: true`) is no secret. */
function holdsText(value: unknown): boolean {
  return value !== null && (typeof value === 'string' || typeof value === 'object');
}

function redactValue(value: unknown, options: RedactionOptions, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, options);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item) => redactValue(item, options, depth + 1));
  }
  if (value instanceof Map) return redactObject(Object.fromEntries(value), options, depth);
  if (value instanceof Set) return redactValue([...value], options, depth);
  return redactObject(value, options, depth);
}
