/**
 * Strips what other tools put around a line of the log: docker, kubectl, syslog, the journal, a mail.
 * Every pattern is anchored and bounded, so that its time is linear.
 */
import { parseJournalField, unwrapJson } from './carrier-json.ts';
import { startsRecord } from './line.ts';

/** A line without its carriers. */
export interface CarriedLine {
  text: string;
  /**
   * Service, pod or program that the carrier names; empty when there is no carrier. Lines of
   * different sources never belong to one record.
   */
  source: string;
}

/** A line may pass through several tools: `docker compose logs -t` pasted into a mail. */
const MOST_LAYERS = 6;
/** Where the head of a record is looked for behind a prefix that no pattern knows. */
const LONGEST_PREFIX_CHARACTERS = 200;

// oxlint-disable-next-line no-control-regex -- the escape character is what it looks for
const ANSI = /\u001B\[[\d;?]{0,32}[ -/]{0,4}[@-~]/g;

/** Carriers by their shape; group `source` names who wrote the line. */
const PREFIXES: readonly RegExp[] = [
  // A mail or an issue.
  /^(?:> ?|&gt; ?){1,8}(?=\S)/,
  // docker compose logs
  /^(?<source>[\w.-]{1,80})\s{1,40}\|(?:\s|$)/,
  // kubectl logs --prefix
  /^\[(?<source>pod\/[\w./-]{1,160})\] ?/,
  // RFC 5424
  /^<\d{1,3}>1 \S{1,40} (?<source>\S{1,80} \S{1,48}) \S{1,128} \S{1,32} (?:-|\[[^\]]{0,400}\]) ?/,
  // RFC 3164, journalctl (short, short-iso)
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}T[\d:.]{8,20}(?:Z|[+-]\d{2}:?\d{2})) (?<source>[\w.:-]{1,80} [\w./@-]{1,80}(?:\[\d{1,10}\])?): ?/,
  // CRI: containerd's and CRI-O's files
  /^\d{4}-\d{2}-\d{2}T[\d:.]{8,20}(?:Z|[+-]\d{2}:\d{2}) (?<source>stdout|stderr) [FP] ?/,
  // docker logs -t, kubectl logs --timestamps, CloudWatch
  /^\d{4}-\d{2}-\d{2}[T ][\d:.]{8,20}(?:Z|[+-]\d{2}:?\d{2})[ \t](?! )/,
];

/** What nginx and PHP-FPM put around what PHP said to them. */
const NGINX =
  /^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2} \[\w{1,10}\] \d{1,10}#\d{1,10}: (?:\*\d{1,12} )?FastCGI sent in stderr: "/;
const NGINX_TAIL = '" while reading ';
const FPM =
  /^(?:\[\d{2}-[A-Z][a-z]{2}-\d{4} [\d:.]{8,16}\] )?[A-Z]{4,9}: \[pool [\w.-]{1,60}\] child \d{1,10} said into std(?:err|out): "(?:[A-Z]{4,9}: )?/;

/** The line itself; undefined for a line that only the carrier has, such as a field of a journal export. */
export function stripCarriers(line: string): CarriedLine | undefined {
  let text = line.startsWith('\uFEFF') ? line.slice(1) : line;
  if (text.includes('\u001B[')) text = text.replaceAll(ANSI, '');
  let source = '';
  for (let layer = 0; layer < MOST_LAYERS && !startsRecord(text); layer += 1) {
    const inner = stripOne(text);
    if (inner === undefined) break;
    text = inner.text;
    source = `${source}${inner.source}\n`;
  }
  text = unwrapPhp(decodePasted(text));
  const field = parseJournalField(text);
  if (field === 'other') return undefined;
  return { text: field?.text ?? text, source };
}

function stripOne(text: string): CarriedLine | undefined {
  const json = unwrapJson(text);
  if (json !== undefined) return { text: json, source: 'json' };
  for (const pattern of PREFIXES) {
    const match = pattern.exec(text);
    if (match !== null) {
      return { text: text.slice(match[0].length), source: match.groups?.['source'] ?? '' };
    }
  }
  return stripUnknown(text);
}

/** A prefix of a shape that is not known, such as that of stern: what stands before the head of a record. */
function stripUnknown(text: string): CarriedLine | undefined {
  const head = text.slice(0, LONGEST_PREFIX_CHARACTERS);
  const heads =
    /(?<=[\s|:])\[(?:[A-Z][a-z]{2} [A-Z][a-z]{2} \d{2} |\d{4}-\d{2}-\d{2}[T ]|\d{2}-[A-Z][a-z]{2}-\d{4} )/;
  const at = head.search(heads);
  if (at <= 0 || NGINX.test(text) || FPM.test(text) || !startsRecord(text.slice(at)))
    return undefined;
  // "PHP message: [2026-…" is what PHP-FPM says of a message, not a carrier.
  if (head.slice(0, at).endsWith('PHP message: ')) return undefined;
  return { text: text.slice(at), source: head.slice(0, at) };
}

/** The messages of PHP out of what nginx or PHP-FPM say about them. */
function unwrapPhp(text: string): string {
  const nginx = NGINX.exec(text);
  if (nginx !== null) {
    const end = text.lastIndexOf(NGINX_TAIL);
    return splitMessages(text.slice(nginx[0].length, end === -1 ? undefined : end));
  }
  const fpm = FPM.exec(text);
  if (fpm === null) return text;
  return splitMessages(text.slice(fpm[0].length).replace(/"(?:, pipe is closed)?$/, ''));
}

/** nginx and FPM put line feeds or nothing between messages; PHP-FPM behind Apache puts `; `. */
function splitMessages(text: string): string {
  const [first = '', ...others] = text.split(/(?:; ?|\s)?PHP message: /);
  return [first, ...others].filter((part) => part !== '').join('; PHP message: ');
}

/** Text that was copied out of the source of a web page: its quotes are entities too. */
function decodePasted(text: string): string {
  if (!text.includes('-&gt;') || text.includes('"')) return text;
  return text
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&quot;', '"')
    .replaceAll(/&#0?39;/g, "'")
    .replaceAll('&amp;', '&');
}
