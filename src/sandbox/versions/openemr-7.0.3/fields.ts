/** Fields that OpenEMR 7.0.3 puts on its answers. */
import type { Field, SandboxRequest } from '../../exchange.ts';
import type { FieldOptions } from '../../exchange.ts';
import { COOKIE_ATTRIBUTES, sessionCookies } from '../../fields.ts';

/** Under /apis: cache fields, CORS fields (once a route runs), session cookies. */
export function apiFields(
  request: SandboxRequest,
  nowMs: number,
  { session = 'ended', cors = true }: FieldOptions,
): Field[] {
  if (session === 'none') return [];
  const fields = cacheFields();
  if (cors) {
    fields.push(
      ['Access-Control-Allow-Credentials', 'true'],
      [
        'Access-Control-Allow-Headers',
        'origin, authorization, accept, content-type, content-encoding, x-requested-with',
      ],
      ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE, TRACE, OPTIONS'],
    );
    const { origin } = request.headers;
    if (origin !== undefined) fields.push(['Access-Control-Allow-Origin', origin]);
  }
  const name = session === 'local' ? 'OpenEMR' : 'apiOpenEMR';
  fields.push(...sessionCookies(name, COOKIE_ATTRIBUTES[name], session === 'ended', nowMs));
  return fields;
}

/** Under /oauth2. */
export function oauthFields(
  _request: SandboxRequest,
  nowMs: number,
  { session = 'ended', cors = true, stored = false, challenge }: FieldOptions,
): Field[] {
  if (session === 'none') return [];
  const fields = cacheFields(stored);
  if (cors) {
    fields.push(
      ['Access-Control-Allow-Credentials', 'true'],
      [
        'Access-Control-Allow-Headers',
        'origin, authorization, accept, content-type, x-requested-with',
      ],
      ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE, TRACE, OPTIONS'],
      ['Access-Control-Allow-Origin', '*'],
    );
  }
  if (challenge !== undefined) fields.push(['WWW-Authenticate', challenge]);
  const name = 'authserverOpenEMR';
  fields.push(...sessionCookies(name, COOKIE_ATTRIBUTES[name], session === 'ended', nowMs));
  return fields;
}

/** Of a file: its own cache fields stand beside those of every answer. */
export function fileFields(request: SandboxRequest, nowMs: number, fileName: string): Field[] {
  return [
    ...apiFields(request, nowMs, {}),
    ['Expires', '0'],
    ['Cache-Control', 'must-revalidate; post-check=0; pre-check=0'],
    ['Pragma', 'public'],
    ['Content-Description', 'File Transfer'],
    ['Content-Disposition', `attachment; filename=${fileName}`],
  ];
}

function cacheFields(stored = false): Field[] {
  return [
    ['Expires', 'Thu, 19 Nov 1981 08:52:00 GMT'],
    ['Cache-Control', `no-store, no-cache, must-revalidate${stored ? ', no-store' : ''}`],
    ['Pragma', `no-cache${stored ? ', no-cache' : ''}`],
  ];
}
