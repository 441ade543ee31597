/** Compact JWTs, read with the strictness and in the words of lcobucci/jwt 4. */

/** A parsed, not yet verified token. */
export interface ParsedJwt {
  header: Readonly<Record<string, unknown>>;
  /** Claims; `aud` is always a list; `exp`, `iat` and `nbf` are dates. */
  claims: Readonly<Record<string, unknown>>;
  /** The signed part: header, dot, claims. */
  payload: string;
  signature: Buffer;
}

const DATE_CLAIMS = ['exp', 'iat', 'nbf'];

/** @returns the token, or lcobucci's message that says what is wrong with it */
export function parseJwt(text: string): ParsedJwt | string {
  const parts = text.split('.');
  const [first, second, third] = parts;
  if (parts.length !== 3 || first === undefined || second === undefined || third === undefined) {
    return 'The JWT string must have two dots';
  }
  const header = decodeObject(first, 'headers');
  if (typeof header === 'string') return header;
  if ('enc' in header) return 'Encryption is not supported yet';
  const claims = decodeObject(second, 'claims');
  if (typeof claims === 'string') return claims;
  const problem = normaliseClaims(claims);
  if (problem !== undefined) return problem;
  const signed = third !== '' && 'alg' in header && header['alg'] !== 'none';
  const signature = signed ? decodeBase64Url(third) : Buffer.alloc(0);
  if (signature === undefined) return BAD_BASE64;
  return { header, claims, payload: `${first}.${second}`, signature };
}

/** PHP's `empty()` of a claim: missing, or of a value that counts as nothing. */
export function isEmptyClaim(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === false ||
    value === 0 ||
    value === '0' ||
    (Array.isArray(value) && value.length === 0)
  );
}

const BAD_BASE64 = 'Error while decoding from Base64Url, invalid base64 characters detected';

function decodeObject(part: string, name: string): Record<string, unknown> | string {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) return BAD_BASE64;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return 'Error while decoding from JSON';
  }
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : `Part "${name}" of the token must be an array`;
}

function normaliseClaims(claims: Record<string, unknown>): string | undefined {
  if ('aud' in claims && !Array.isArray(claims['aud'])) claims['aud'] = [claims['aud']];
  for (const name of DATE_CLAIMS) {
    if (!(name in claims)) continue;
    const value = claims[name];
    const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof seconds !== 'number' || Number.isNaN(seconds)) {
      return `Value is not in the allowed date format: ${String(value)}`;
    }
    claims[name] = new Date(seconds * 1000);
  }
  return undefined;
}

/** Base64url without padding; undefined for anything that is not its one canonical spelling. */
function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
