/** Fields that OpenEMR 8.0.0 puts on its answers: one live cookie, and of CORS the echoed origin alone. */
import type { Field, SandboxRequest } from '../../exchange.ts';
import type { FieldOptions } from '../../exchange.ts';
import { COOKIE_ATTRIBUTES, sessionCookies } from '../../fields.ts';

type CookieName = 'apiOpenEMR' | 'authserverOpenEMR';

const CACHE = 'max-age=0, private, must-revalidate';

/** Under /apis. */
export function apiFields(request: SandboxRequest, nowMs: number, options: FieldOptions): Field[] {
  return fields('apiOpenEMR', request, nowMs, options);
}

/** Under /oauth2. */
export function oauthFields(
  request: SandboxRequest,
  nowMs: number,
  options: FieldOptions,
): Field[] {
  return fields('authserverOpenEMR', request, nowMs, options);
}

/** Of a file: its own cache fields take the place of the others, its Cache-Control read as Symfony reads it. */
export function fileFields(request: SandboxRequest, nowMs: number, fileName: string): Field[] {
  return [
    ['Cache-Control', `${CACHE}, must-revalidate; post-check="0; pre-check=0", private`],
    ['Content-Description', 'File Transfer'],
    ['Content-Disposition', `attachment; filename=${fileName}`],
    ['Expires', '0'],
    ['Pragma', 'public'],
    ...cookie('apiOpenEMR', request, nowMs),
  ];
}

function fields(
  name: CookieName,
  request: SandboxRequest,
  nowMs: number,
  { session = 'ended', stored = false, challenge }: FieldOptions,
): Field[] {
  if (session === 'none') return [['Cache-Control', 'no-cache, private']];
  if (session === 'local') return localFields(nowMs);
  const { origin } = request.headers;
  return [
    ['Cache-Control', `${CACHE}, ${stored ? 'no-store' : 'no-cache'}, private`],
    ...(stored ? [['Pragma', 'no-cache'] satisfies Field] : []),
    ...(challenge === undefined ? [] : [['WWW-Authenticate', challenge] satisfies Field]),
    ...(origin === undefined ? [] : [['Access-Control-Allow-Origin', origin] satisfies Field]),
    ...cookie(name, request, nowMs),
  ];
}

/** The session of a caller that sends its cookie goes on without a new one. */
function cookie(name: CookieName, request: SandboxRequest, nowMs: number): Field[] {
  const sent = /(?:^|; *)([^=;]*)=[\w,%-]{22,}/.exec(request.headers['cookie'] ?? '')?.[1];
  return sent === name ? [] : sessionCookies(name, COOKIE_ATTRIBUTES[name], false, nowMs);
}

/** Of one of OpenEMR's own pages, whose session is made and thrown away. */
function localFields(nowMs: number): Field[] {
  return [
    ['Expires', 'Thu, 19 Nov 1981 08:52:00 GMT'],
    ['Cache-Control', 'no-store, no-cache, must-revalidate'],
    ['Pragma', 'no-cache'],
    ...sessionCookies('OpenEMR', COOKIE_ATTRIBUTES.OpenEMR, true, nowMs),
  ];
}
