/** Lines that are JSON objects around a message, and the fields of a journal export. */

/** Members that hold the message: docker, journald, Monolog and CloudWatch, Loki, Google's logging. */
const MESSAGE_MEMBERS = ['log', 'MESSAGE', 'message', 'line', 'msg', 'textPayload'];

/** The message in a line of JSON, as the line that OpenEMR wrote; undefined when it is no such line. */
export function unwrapJson(line: string): string | undefined {
  if (!line.startsWith('{') || !line.trimEnd().endsWith('}')) return undefined;
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const message = MESSAGE_MEMBERS.map((name) => value[name]).find(
    (each) => typeof each === 'string' || Array.isArray(each),
  );
  // journald gives text with other than printable ASCII as a list of bytes.
  const text = Array.isArray(message) ? bytesToText(message) : message;
  if (typeof text !== 'string') return undefined;
  return typeof value['level_name'] === 'string'
    ? asMonologLine(text, value)
    : text.replace(/\r?\n$/, '');
}

function bytesToText(bytes: readonly unknown[]): string | undefined {
  const isByte = (each: unknown): each is number =>
    typeof each === 'number' && each >= 0 && each < 256;
  return bytes.every(isByte) ? Buffer.from(bytes).toString('utf8') : undefined;
}

/** Monolog's JsonFormatter in the words of its LineFormatter. */
function asMonologLine(message: string, record: Readonly<Record<string, unknown>>): string {
  const { datetime, channel, level_name: level, context = [] } = record;
  const time = typeof datetime === 'string' ? `[${datetime}] ` : '';
  const name = typeof channel === 'string' && /^\w{1,40}$/.test(channel) ? channel : 'OpenEMR';
  return `${time}${name}.${String(level)}: ${message} ${JSON.stringify(context)} []`;
}

/** A field of `journalctl -o export`: its message, or that it is another one; undefined when it is none. */
export function parseJournalField(line: string): { text: string } | 'other' | undefined {
  if (line.startsWith('MESSAGE=')) return { text: line.slice('MESSAGE='.length) };
  return /^(?:__?[A-Z][A-Z_\d]{1,60}|PRIORITY|SYSLOG_[A-Z]{2,20}|MESSAGE_ID)=/.test(line)
    ? 'other'
    : undefined;
}
