/**
 * A client that sends exactly the bytes it is given: for request heads that no HTTP library would
 * write. Answers are parsed just far enough to tell them apart.
 */
import { connect } from 'node:net';

/** One answer, or what came of one. */
export interface RawAnswer {
  status: number;
  reason: string;
  /** Names in lower case and values, in order. */
  fields: readonly (readonly [name: string, value: string])[];
  body: string;
  /** First value of a field, by its name in lower case. */
  field(name: string): string | undefined;
}

/** What came back over one connection. */
export interface RawExchange {
  answers: readonly RawAnswer[];
  /** Everything received, as latin1. */
  received: string;
  /** Whether the server closed or reset the connection before `answers` were complete. */
  closed: boolean;
}

/** Options of {@link rawRequest}. */
export interface RawRequestOptions {
  port: number;
  host?: string;
  /** Answers to wait for; default 1. The connection is then ended by the client. */
  answers?: number;
  /** Whether to wait, after that, until the server closes the connection; default false. */
  untilClosed?: boolean;
  /** Milliseconds after which waiting ends with an error; default 5000. */
  timeoutMs?: number;
}

/** Sends bytes (a string is taken as latin1) and collects the answers. */
export function rawRequest(
  bytes: string | Buffer,
  {
    port,
    host = '127.0.0.1',
    answers = 1,
    untilClosed = false,
    timeoutMs = 5000,
  }: RawRequestOptions,
): Promise<RawExchange> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, host);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no ${answers} answers within ${timeoutMs} ms; received: ${received}`));
    }, timeoutMs);
    const settle = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: parseAnswers(received), received, closed });
    };
    socket.setEncoding('latin1');
    socket.on('connect', () =>
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    );
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (!untilClosed && parseAnswers(received).length >= answers) settle(false);
    });
    socket.on('end', () => settle(true));
    // A reset is a way of closing; what had arrived before counts.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        clearTimeout(timer);
        reject(error);
      } else {
        settle(true);
      }
    });
  });
}

/** Request lines and fields joined as HTTP has them, with an empty line after them and a body, if any. */
export function rawHead(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine);
    if (match === null) return answers;
    const status = Number(match[1]);
    const fields = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    const field = (name: string): string | undefined => fields.find(([each]) => each === name)?.[1];
    rest = rest.slice(headEnd + 4);
    // An interim answer (100 Continue) is none of those that were waited for.
    if (status < 200) continue;
    const body = takeBody(rest, status, field);
    if (body === undefined) return answers;
    answers.push({ status, reason: match[2] ?? '', fields, body: body.text, field });
    rest = rest.slice(body.length);
  }
}

function takeBody(
  rest: string,
  status: number,
  field: (name: string) => string | undefined,
): { text: string; length: number } | undefined {
  if (status === 204 || status === 304) return { text: '', length: 0 };
  if (field('transfer-encoding')?.toLowerCase() === 'chunked') return takeChunks(rest);
  const length = Number(field('content-length') ?? Number.NaN);
  if (Number.isNaN(length)) return { text: rest, length: rest.length };
  return rest.length < length ? undefined : { text: rest.slice(0, length), length };
}

function takeChunks(rest: string): { text: string; length: number } | undefined {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (Number.isNaN(size) || rest.length < end) return undefined;
    if (size === 0) return { text, length: end };
    text += rest.slice(lineEnd + 2, end - 2);
    at = end;
  }
}
