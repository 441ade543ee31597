/** Sends a request exactly as given: Host, repeated fields, bodies on any method. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** What goes out. */
export interface RawRequest {
  method: string;
  /** Origin of the server. */
  origin: string;
  /** Request target, sent as it is. */
  target: string;
  /** Names and values in turn; a Host among them replaces the default. */
  fields: readonly [string, string][];
  body?: string | Buffer;
}

/** What came back. */
export interface RawAnswer {
  status: number;
  statusText: string;
  /** Names as sent, values of a repeated field in order. */
  fields: [string, string][];
  body: Buffer;
}

/** Sends one request on a connection of its own. */
export async function send(options: RawRequest): Promise<RawAnswer> {
  const { method, origin, target, fields, body } = options;
  const url = new URL(origin);
  const issue = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const rawFields = fields.some(([name]) => name.toLowerCase() === 'host')
    ? fields
    : [['Host', url.host], ...fields];
  const framing =
    body !== undefined && !fields.some(([name]) => name.toLowerCase() === 'content-length')
      ? [['Content-Length', String(Buffer.byteLength(body))]]
      : [];
  return new Promise((resolve, reject) => {
    const request = issue(
      {
        host: url.hostname,
        port: url.port,
        method,
        path: target,
        agent: false,
        setHost: false,
        rejectUnauthorized: false,
        headers: [...rawFields, ...framing].flat(),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answered: [string, string][] = [];
          const { rawHeaders } = response;
          for (let i = 0; i < rawHeaders.length; i += 2) {
            answered.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
          }
          resolve({
            status: response.statusCode ?? 0,
            statusText: response.statusMessage ?? '',
            fields: answered,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
