/**
 * Fields that PHP and OpenEMR put on an answer. Which of them an answer carries shows how far the
 * request came: a session adds cookies and cache fields, a route adds the CORS fields. The fields
 * themselves are the version's.
 */
import { randomBytes } from 'node:crypto';

import type { Field, SandboxAnswer, SandboxRequest } from './exchange.ts';
import type { SandboxState } from './versions/profile.ts';

/** Seconds that OpenEMR's API sessions live (session.gc_maxlifetime). */
const SESSION_SECONDS = 28_000;
const SESSION_ID_BYTES = 24;

/** Content type of an answer that PHP ends without a body. */
export const EMPTY_TYPE = 'text/html; charset=utf-8';

/** An answer of a FHIR route: OpenEMR's fields, then the given ones. */
export function apiAnswer(
  request: SandboxRequest,
  state: SandboxState,
  answer: {
    status: number;
    body?: SandboxAnswer['body'];
    /** Default: `application/json` with a body, PHP's own without. `null`: no such field. */
    contentType?: string | null;
    fields?: Field[];
  },
): SandboxAnswer {
  const { status, body = '', fields = [] } = answer;
  const contentType =
    answer.contentType === undefined
      ? body === ''
        ? EMPTY_TYPE
        : 'application/json'
      : answer.contentType;
  return {
    status,
    fields: [
      ...state.version.http.apiFields(request, state.clock.now(), {}),
      ...fields,
      ...(contentType === null ? [] : [['Content-Type', contentType] satisfies Field]),
    ],
    body,
  };
}

/**
 * The Set-Cookie fields of a session.
 *
 * @param rest attributes after Max-Age
 * @param ends whether the cookie is deleted again at the end of the request
 */
export function sessionCookies(name: string, rest: string, ends: boolean, nowMs: number): Field[] {
  const value = randomBytes(SESSION_ID_BYTES).toString('base64url');
  const expires = new Date(nowMs + SESSION_SECONDS * 1000).toUTCString();
  const set: Field = [
    'Set-Cookie',
    `${name}=${value}; expires=${expires}; Max-Age=${SESSION_SECONDS}; ${rest}`,
  ];
  if (!ends) return [set];
  const gone = new Date(1000).toUTCString();
  return [set, ['Set-Cookie', `${name}=deleted; expires=${gone}; Max-Age=0; ${rest}`]];
}

/** Attributes of the session cookies, by their names. */
export const COOKIE_ATTRIBUTES = {
  OpenEMR: 'path=/; SameSite=Strict',
  apiOpenEMR: 'path=/apis/; secure; HttpOnly; SameSite=Strict',
  authserverOpenEMR: 'path=/oauth2/; secure; HttpOnly; SameSite=None',
} as const;
