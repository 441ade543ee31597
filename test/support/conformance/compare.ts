/** Tells how a replayed answer differs from the recorded one. */
import type { Replay } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** What a case may say about the comparison. */
export interface CompareOptions {
  /**
   * Applied to both parsed bodies before they are compared, for values that differ from one
   * installation to the next. Default: nothing but tokens, secrets, keys and times.
   */
  normaliseBody?: (body: unknown) => unknown;
  /** Applied to the values of both answers' fields, for ids that are new in every exchange. */
  normaliseField?: (value: string) => string;
  /** Whether the length of the body must be the recorded one; default true. */
  sameLength?: boolean;
  /** Whether context values of log lines must be the recorded ones; default true. Keys always must. */
  sameContext?: boolean;
}

/** Fields that depend on the connection or the moment. */
const NOT_COMPARED = new Set([
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'set-cookie',
  'content-length',
]);

/** @returns one sentence for each difference; empty when the two are alike */
export function compare(
  transcript: Transcript,
  replay: Replay,
  options: CompareOptions = {},
): string[] {
  const { response } = transcript;
  const { answer } = replay;
  const differences: string[] = [];
  const expect = (what: string, actual: unknown, expected: unknown): void => {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a !== b) differences.push(`${what}: got ${a}, recorded ${b}`);
  };
  expect('status', answer.status, response.status);
  expect('reason phrase', answer.statusText, response.statusText);
  const { normaliseField = (value: string) => value } = options;
  const fields = fieldMap(answer.fields, normaliseField);
  const recorded = fieldMap(
    Object.entries(response.headers).flatMap(([name, value]) =>
      recordedValues(name, value).map((each): [string, string] => [name, each]),
    ),
    normaliseField,
  );
  for (const name of new Set([...fields.keys(), ...recorded.keys()])) {
    if (!NOT_COMPARED.has(name)) expect(`field ${name}`, fields.get(name), recorded.get(name));
  }
  expect('cookies', cookies(fields), cookies(recorded));
  compareBody(transcript, answer.body.toString('utf8'), options, expect);
  const { sameContext = true } = options;
  expect(
    'log',
    replay.log.flatMap((line) => describeLine(line, sameContext)),
    transcript.error_log_lines.flatMap((line) => describeLine(line, sameContext)),
  );
  return differences;
}

function compareBody(
  transcript: Transcript,
  text: string,
  options: CompareOptions,
  expect: (what: string, actual: unknown, expected: unknown) => void,
): void {
  const { body, body_is_json: isJson, body_note: note, body_bytes: bytes } = transcript.response;
  const { normaliseBody = (value: unknown) => value, sameLength = true } = options;
  const parsed = isJson && text !== '' ? parse(text) : text;
  const entries = Number(/^cut to the first of (\d+) entries$/.exec(note ?? '')?.[1] ?? 0);
  const cut = typeof body === 'string' ? CUT.exec(body) : null;
  if (entries > 0) {
    expect('entries', entriesOf(parsed).length, entries);
    const actual = { ...(parsed as object), entry: entriesOf(parsed).slice(0, 1) };
    expect('body', sortKeys(normalise(actual)), sortKeys(normalise(body)));
  } else if (typeof body === 'string' && cut !== null) {
    const kept = body.slice(0, cut.index);
    const [actual, recorded] = [text, kept].map((each) => (isJson ? respell(each) : each));
    const length = Math.min(actual?.length ?? 0, recorded?.length ?? 0);
    expect(
      'body beginning',
      normaliseText(actual?.slice(0, length) ?? ''),
      normaliseText(recorded?.slice(0, length) ?? ''),
    );
  } else if (note === undefined) {
    const actual = normaliseBody(normalise(parsed));
    expect('body', sortKeys(actual), sortKeys(normaliseBody(normalise(body))));
    expect('body member order', keyOrder(actual), keyOrder(normaliseBody(normalise(body))));
  } else if (typeof body === 'string') {
    // The recording kept the beginning only.
    const [actual, recorded] = [text, body].map((each) => (isJson ? respell(each) : each));
    const length = Math.min(actual?.length ?? 0, recorded?.length ?? 0);
    expect(
      'body beginning',
      normaliseText(actual?.slice(0, length) ?? ''),
      normaliseText(recorded?.slice(0, length) ?? ''),
    );
  }
  if (sameLength) expect('body length', lengthWithoutTokens(text), recordedLength(body, bytes));
}

/** What the recorder put where it cut a text. */
const CUT = /…(?:\[cut by the recorder: \d+ bytes\]|\(\d+ characters\))$/;

function entriesOf(bundle: unknown): unknown[] {
  const { entry } = (bundle ?? {}) as { entry?: unknown };
  return Array.isArray(entry) ? entry : [];
}

/** A few recordings hold JSON that was written anew: with spaces between its members, and without escapes. */
function respell(json: string): string {
  return json.replace(/(?<=[:,]) /g, '').replaceAll('\\/', '/');
}

/** Length without access tokens, whose length depends on their times. */
function lengthWithoutTokens(text: string): number {
  return Buffer.byteLength(text.replace(/(?<="access_token":")[^"]*/, ''));
}

function recordedLength(body: unknown, bytes: number): number {
  const token = (body as { access_token?: string } | null)?.access_token;
  return bytes - Number(/<JWT (\d+) chars>/.exec(token ?? '')?.[1] ?? 0);
}

/** Fields that a file download sends twice; the recording joined all but the cookies. */
const JOINED_TWICE: Readonly<Record<string, RegExp>> = {
  expires: /(?<=GMT), (?=0$)/,
  'cache-control': /(?<=^no-store, no-cache, must-revalidate), (?=must-revalidate;)/,
  pragma: /(?<=^no-cache), (?=public$)/,
};

function recordedValues(name: string, value: string | string[]): string[] {
  if (Array.isArray(value)) return value;
  return value.split(JOINED_TWICE[name.toLowerCase()] ?? /(?!)/);
}

function fieldMap(
  fields: readonly [string, string][],
  normaliseField: (value: string) => string,
): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    map.set(key, [...(map.get(key) ?? []), normaliseText(normaliseField(value))]);
  }
  return map;
}

/** Cookies by name and attributes; the value and the date are theirs to choose. */
function cookies(fields: Map<string, string[]>): string[] {
  return (fields.get('set-cookie') ?? []).map((cookie) =>
    cookie.replace(/=[^;]*/, '').replace(/expires=[^;]*/, 'expires'),
  );
}

const BLANKED = /^(?:access_token|id_token|client_id|client_secret|registration_access_token)$/;

/** Blanks what is new in every exchange: tokens, secrets, times, and the server's own key. */
function normalise(value: unknown, name = ''): unknown {
  if (BLANKED.test(name) && typeof value === 'string' && value !== '') return '<blank>';
  if (name === 'expires_in') return value === 299 || value === 300 ? '299 or 300' : value;
  if (name === 'client_id_issued_at') return typeof value;
  if (name === 'n' && typeof value === 'string') return `<modulus of ${value.length} chars>`;
  if (typeof value === 'string') return normaliseText(value);
  if (Array.isArray(value)) return value.map((entry) => normalise(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, normalise(member, key)]),
  );
}

/** Times and tokens within a text. */
export function normaliseText(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?/g, '<time>')
    .replace(/(?<="date":\s?")\d{4}-\d\d-\d\d/g, '<day>')
    .replace(/(?<=\/client\/)[\w-]{22}\b/g, '<uri>')
    .replace(/<JWT \d+ chars>|eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  );
}

function keyOrder(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value)
    : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One message of a log line. */
interface LogEntry {
  /** Module of Apache, such as `proxy_fcgi:error`. */
  module: string;
  message: string;
  level?: string;
  contextKeys?: string[];
  context?: unknown;
}

/** Messages of a line, with times, process numbers and PHP's stack traces taken out. */
function describeLine(line: string, sameContext: boolean): LogEntry[] {
  const match = /^\[[^\]]*\] \[([^\]]*)\] \[pid[^\]]*\] (?:\[client [^\]]*\] )?(.*)$/s.exec(line);
  if (match === null) return [{ module: '', message: `not a line of Apache's: ${line}` }];
  const [, module = '', text = ''] = match;
  const packed = /^AH01071: Got error '(.*)'$/s.exec(text);
  if (packed === null) {
    const message = text
      .replace(/\[client [^\]]*\] /, '')
      .replace(/ to :\d+:/, ' to :<port>:')
      .replace(/(?<=127\.0\.0\.1:)\d+/g, '<port>');
    return [{ module, message }];
  }
  return unescapeLog(packed[1] ?? '')
    .split(/(?:^|; )PHP message: /)
    .filter((message) => message !== '')
    .map((message) => ({ module, ...describeMessage(message, sameContext) }));
}

function describeMessage(message: string, sameContext: boolean): Omit<LogEntry, 'module'> {
  const monolog = /^\[[^\]]*\] OpenEMR\.([A-Z]+): (.*)$/s.exec(message);
  if (monolog === null) return { message: message.split('\nStack trace:')[0] ?? '' };
  const [, level = '', rest = ''] = monolog;
  const start = rest.search(/(?: )(?:\{"|\[")/);
  if (start === -1) return { level, message: rest.replace(/ \[\] \[\]$/, '') };
  const text = rest.slice(start + 1).replace(/ \[\]$/, '');
  const context = parse(text);
  if (typeof context === 'string' || Buffer.byteLength(message) > LONGEST_MESSAGE) {
    // PHP-FPM cut the line: what is there is compared as text, the first part of it only, because
    // the cut falls where the length of the server's own paths puts it. A recorded message that is
    // whole and longer had shorter paths when it was cut.
    const head = text.slice(0, COMPARED_OF_A_CUT);
    return { level, message: rest.slice(0, start), context: normaliseText(head) };
  }
  return {
    level,
    message: rest.slice(0, start),
    contextKeys: keysWithin(context),
    ...(sameContext ? { context: normalise(context) } : {}),
  };
}

const COMPARED_OF_A_CUT = 600;
/** Bytes after which PHP-FPM cuts, without the `PHP message: ` before it. */
const LONGEST_MESSAGE = 999;

function keysWithin(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    `${prefix}${key}`,
    ...keysWithin(member, `${prefix}${key}.`),
  ]);
}

function unescapeLog(text: string): string {
  return text.replace(/\\(\\|n|t|r|x[0-9a-f]{2})/g, (_match, code: string) => {
    if (code === '\\') return '\\';
    if (code === 'n') return '\n';
    if (code === 't') return '\t';
    return code === 'r' ? '\r' : String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
}
