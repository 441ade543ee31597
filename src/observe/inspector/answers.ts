import type { ServerResponse } from 'node:http';

/**
 * Fields of every answer: nothing from elsewhere is loaded, nothing is framed, kept or sniffed.
 * Pages may run scripts and styles of this origin only, none of them inline.
 */
const COMMON_FIELDS: readonly string[] = [
  'Cache-Control',
  'no-store',
  'Content-Security-Policy',
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy',
  'same-origin',
  'Cross-Origin-Resource-Policy',
  'same-origin',
  'Referrer-Policy',
  'no-referrer',
  'X-Content-Type-Options',
  'nosniff',
];

/** Writes a head with the fields that every answer has. @param fields raw: names and values in turn */
export function writeHead(
  response: ServerResponse,
  status: number,
  fields: readonly string[],
): void {
  response.writeHead(status, [...COMMON_FIELDS, ...fields]);
}

/** Sends a whole answer. For HEAD, Node leaves the body out. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  fields: readonly string[],
): void {
  writeHead(response, status, ['Content-Length', String(Buffer.byteLength(body)), ...fields]);
  response.end(body);
}

/** Sends a value as JSON, indented: people read it too. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  options: { status?: number; contentType?: string; fields?: readonly string[] } = {},
): void {
  const { status = 200, contentType = 'application/json; charset=utf-8', fields = [] } = options;
  send(response, status, `${JSON.stringify(value, undefined, 2)}\n`, [
    'Content-Type',
    contentType,
    ...fields,
  ]);
}

/** Sends text of another type. */
export function sendText(response: ServerResponse, contentType: string, text: string): void {
  send(response, 200, text, ['Content-Type', contentType]);
}

/** Sends a status and nothing more. */
export function sendEmpty(
  response: ServerResponse,
  status: number,
  fields: readonly string[] = [],
): void {
  send(response, status, '', fields);
}

/** Sends `{ "error": … }`: what was wrong, lower-case, no full stop. */
export function sendError(
  response: ServerResponse,
  status: number,
  error: string,
  fields: readonly string[] = [],
): void {
  sendJson(response, { error }, { status, fields });
}
