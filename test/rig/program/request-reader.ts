/**
 * Reads the requests of one connection as strictly as RFC 9112 allows: what two servers could read
 * in two ways is told as a problem, never guessed at.
 */

/** A request as it came over the wire, latin1. */
export interface ReceivedRequest {
  /** Head as received, without the empty line. */
  head: string;
  method: string;
  target: string;
  /** Names in lower case and values, in order. */
  fields: readonly (readonly [name: string, value: string])[];
  /** First 64 KiB of the body, without framing. */
  body: string;
}

/** Reads a connection. */
export interface RequestReader {
  push(chunk: Buffer): void;
}

const MOST_HEAD_BYTES = 64 * 1024;
const MOST_BODY_BYTES = 64 * 1024;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.1$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const CHUNK_HEAD = /^[0-9a-f]{1,8}$/i;

/** What is waited for: a head, so many bytes of a body, or a part of a chunked one. */
type State =
  | { kind: 'head' }
  | { kind: 'bytes'; left: number }
  | { kind: 'chunk-head' }
  | { kind: 'chunk'; left: number }
  | { kind: 'chunk-end' }
  | { kind: 'last-chunk-end' }
  | { kind: 'broken' };

/**
 * @param onRequest gets each request once it is whole
 * @param onProblem gets a sentence about what has more than one reading; nothing is read after it
 */
export function createRequestReader(
  onRequest: (request: ReceivedRequest) => void,
  onProblem: (problem: string) => void,
): RequestReader {
  let rest: Buffer = Buffer.alloc(0);
  let state: State = { kind: 'head' };
  let request: ReceivedRequest | undefined;

  const fail = (problem: string): false => {
    state = { kind: 'broken' };
    onProblem(problem);
    return false;
  };
  const finish = (): true => {
    if (request !== undefined) onRequest(request);
    request = undefined;
    state = { kind: 'head' };
    return true;
  };
  const keep = (bytes: Buffer): void => {
    if (request !== undefined && request.body.length < MOST_BODY_BYTES) {
      request.body += bytes.toString('latin1', 0, MOST_BODY_BYTES - request.body.length);
    }
  };
  const takeLine = (most: number): string | undefined => {
    const end = rest.indexOf('\r\n');
    if (end < 0) {
      if (rest.length > most) fail(`a line of more than ${most} bytes`);
      return undefined;
    }
    const line = rest.toString('latin1', 0, end);
    rest = rest.subarray(end + 2);
    return line;
  };
  const takeHead = (): boolean => {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return rest.length > MOST_HEAD_BYTES ? fail('a head without end') : false;
    const parsed = parseHead(rest.toString('latin1', 0, end));
    rest = rest.subarray(end + 4);
    if (typeof parsed === 'string') return fail(parsed);
    request = parsed.request;
    if (parsed.length === 'chunked') state = { kind: 'chunk-head' };
    else if (parsed.length === 0) finish();
    else state = { kind: 'bytes', left: parsed.length };
    return true;
  };
  const takeBytes = (waiting: { left: number }): boolean => {
    if (rest.length === 0) return false;
    const part = rest.subarray(0, waiting.left);
    keep(part);
    waiting.left -= part.length;
    rest = rest.subarray(part.length);
    return true;
  };
  const takeEmptyLine = (then: () => void): boolean => {
    if (rest.length < 2) return false;
    if (rest[0] !== 13 || rest[1] !== 10) return fail('a chunk that does not end where it says');
    rest = rest.subarray(2);
    then();
    return true;
  };
  const step = (): boolean => {
    switch (state.kind) {
      case 'head':
        return takeHead();
      case 'bytes':
        return state.left === 0 ? finish() : takeBytes(state);
      case 'chunk-head': {
        const line = takeLine(8);
        if (line === undefined) return false;
        if (!CHUNK_HEAD.test(line)) return fail(`a chunk that begins with ${JSON.stringify(line)}`);
        const left = Number.parseInt(line, 16);
        state = left === 0 ? { kind: 'last-chunk-end' } : { kind: 'chunk', left };
        return true;
      }
      case 'chunk':
        if (state.left > 0) return takeBytes(state);
        state = { kind: 'chunk-end' };
        return true;
      case 'chunk-end':
        return takeEmptyLine(() => (state = { kind: 'chunk-head' }));
      case 'last-chunk-end':
        return takeEmptyLine(finish);
      case 'broken':
        return false;
    }
  };

  return {
    push(chunk) {
      if (state.kind === 'broken') return;
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (step());
    },
  };
}

function parseHead(
  head: string,
): { request: ReceivedRequest; length: number | 'chunked' } | string {
  const [line = '', ...lines] = head.split('\r\n');
  const match = REQUEST_LINE.exec(line);
  if (match === null) return `a request line that is none: ${JSON.stringify(line)}`;
  const fields: [string, string][] = [];
  for (const each of lines) {
    const field = FIELD.exec(each);
    if (field === null) return `a field that is none: ${JSON.stringify(each)}`;
    const [, name = '', value = ''] = field;
    fields.push([name.toLowerCase(), value]);
  }
  const valuesOf = (name: string): string[] =>
    fields.filter(([each]) => each === name).map(([, value]) => value);
  const lengths = valuesOf('content-length');
  const codings = valuesOf('transfer-encoding');
  if (lengths.length + codings.length > 1) return `more than one framing: ${JSON.stringify(head)}`;
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked')) {
    return `transfer coding ${JSON.stringify(codings[0])}`;
  }
  if (lengths.some((length) => !/^\d{1,15}$/.test(length))) {
    return `content length ${JSON.stringify(lengths[0])}`;
  }
  const [, method = '', target = ''] = match;
  return {
    request: { head, method, target, fields, body: '' },
    length: codings.length > 0 ? 'chunked' : Number(lengths[0] ?? 0),
  };
}
