/**
 * Fields that PHP and OpenEMR put on an answer. Which of them an answer carries tells how far the
 * request came: a session adds cookies and cache fields, a route adds the CORS fields.
 */
import { randomBytes } from 'node:crypto';

import type { Field, SandboxAnswer, SandboxRequest } from './exchange.ts';

/** Seconds that OpenEMR's API sessions live (session.gc_maxlifetime). */
const SESSION_SECONDS = 28_000;
const SESSION_ID_BYTES = 24;

/** Content type of an answer that PHP ends without a body. */
export const EMPTY_TYPE = 'text/html; charset=utf-8';

/**
 * `ended`: the session was closed at the end of the request, so that its cookie is set and deleted:
 * two Set-Cookie fields. `left`: the script died in the middle: one. `none`: it never began. `local`: the session of OpenEMR's own pages.
 */
export type SessionOutcome = 'ended' | 'left' | 'none' | 'local';

/** Fields of an answer under /apis: cache fields, CORS fields (once a route runs), session cookies. */
export function apiFields(
  request: SandboxRequest,
  nowMs: number,
  options: { session?: SessionOutcome; cors?: boolean } = {},
): Field[] {
  const { session = 'ended', cors = true } = options;
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
  fields.push(
    ...(session === 'local'
      ? cookies('OpenEMR', 'path=/; SameSite=Strict', 'left', nowMs)
      : cookies('apiOpenEMR', 'path=/apis/; secure; HttpOnly; SameSite=Strict', session, nowMs)),
  );
  return fields;
}

/** Fields of an answer under /oauth2. `stored`: the answer of a successful grant, whose library adds its own cache fields. */
export function oauthFields(
  nowMs: number,
  options: {
    session?: SessionOutcome;
    cors?: boolean;
    stored?: boolean;
    /** Value of the WWW-Authenticate field. */
    challenge?: string;
  } = {},
): Field[] {
  const { session = 'ended', cors = true, stored = false, challenge } = options;
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
  fields.push(
    ...cookies(
      'authserverOpenEMR',
      'path=/oauth2/; secure; HttpOnly; SameSite=None',
      session,
      nowMs,
    ),
  );
  return fields;
}

/** An answer of a FHIR route: OpenEMR's fields, then the given ones. */
export function apiAnswer(
  request: SandboxRequest,
  nowMs: number,
  answer: {
    status: number;
    body?: SandboxAnswer['body'];
    /** Default: `application/json` with a body, PHP's own without. `null`: no such field. */
    contentType?: string | null;
    fields?: Field[];
    session?: SessionOutcome;
    cors?: boolean;
  },
): SandboxAnswer {
  const { status, body = '', fields = [], session, cors } = answer;
  const contentType =
    answer.contentType === undefined
      ? body === ''
        ? EMPTY_TYPE
        : 'application/json'
      : answer.contentType;
  return {
    status,
    fields: [
      ...apiFields(request, nowMs, {
        ...(session === undefined ? {} : { session }),
        ...(cors === undefined ? {} : { cors }),
      }),
      ...fields,
      ...(contentType === null ? [] : [['Content-Type', contentType] satisfies Field]),
    ],
    body,
  };
}

function cacheFields(stored = false): Field[] {
  return [
    ['Expires', 'Thu, 19 Nov 1981 08:52:00 GMT'],
    ['Cache-Control', `no-store, no-cache, must-revalidate${stored ? ', no-store' : ''}`],
    ['Pragma', `no-cache${stored ? ', no-cache' : ''}`],
  ];
}

function cookies(name: string, rest: string, session: SessionOutcome, nowMs: number): Field[] {
  const value = randomBytes(SESSION_ID_BYTES).toString('base64url');
  const expires = new Date(nowMs + SESSION_SECONDS * 1000).toUTCString();
  const set: Field = [
    'Set-Cookie',
    `${name}=${value}; expires=${expires}; Max-Age=${SESSION_SECONDS}; ${rest}`,
  ];
  if (session === 'left') return [set];
  const gone = new Date(1000).toUTCString();
  return [set, ['Set-Cookie', `${name}=deleted; expires=${gone}; Max-Age=0; ${rest}`]];
}
