/** Blanks credentials in text from outside, before anything else sees it. */

const MEMBER_NAMES = [
  'client_secret',
  'client_assertion',
  'access_token',
  'refresh_token',
  'id_token',
  'registration_access_token',
  'registration_token',
  'code_verifier',
  'password',
  'passwd',
  'signature',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apicsrftoken',
  'csrf_token',
].join('|');

const BLANKS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----|$)/gs, '<key>'],
  // A JWT (RFC 7519): every JOSE header starts with {" which is eyJ in base64url. Also a cut one.
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, '<JWT>'],
  [/\b(Bearer|Basic|DPoP)\s+(?=\S*[\d=._~+/-])[\w.~+/=-]{8,}/gi, '$1 <credential>'],
  // Members of a JSON object, names of form and query parameters, header fields.
  [
    new RegExp(`(["']?\\b(?:${MEMBER_NAMES})["']?\\s*(?:=>|:)\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi'),
    '$1"<blank>"',
  ],
  [new RegExp(`\\b((?:${MEMBER_NAMES})=)[^&\\s"';]+`, 'gi'), '$1<blank>'],
  [/\b((?:set-)?cookie:\s*)[^\r\n"]+/gi, '$1<blank>'],
  [/\b(\w*OpenEMR|PHPSESSID)=[^;\s"'&]+/g, '$1=<blank>'],
  // Private members of a JWK (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
  [/("(?:d|p|q|dp|dq|qi|k)"\s*:\s*)"[\w+/=-]{20,}"?/g, '$1"<blank>"'],
];

/** The text with JWTs, keys, secrets, cookies and Authorization values blanked. */
export function redactCredentials(text: string): string {
  let out = text;
  for (const [pattern, blank] of BLANKS) out = out.replace(pattern, blank);
  return out;
}
