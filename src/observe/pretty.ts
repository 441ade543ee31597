/** Texts for people: colours, clock, durations, sizes. Pure. */
import { toPlainJson, toPlainLine, toPlainText } from '../base/plain-text.ts';

/** Paints text with an ANSI colour, or leaves it as it is. */
export type Paint = (text: string) => string;

/** The colours of pretty lines. */
export interface Palette {
  dim: Paint;
  bold: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  blue: Paint;
  cyan: Paint;
}

/** @param color false gives a palette that paints nothing */
export function createPalette(color: boolean): Palette {
  const paint = (open: number, close: number): Paint =>
    color ? (text) => `\u001B[${open}m${text}\u001B[${close}m` : (text) => text;
  return {
    dim: paint(2, 22),
    bold: paint(1, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
    cyan: paint(36, 39),
  };
}

let minuteMs = Number.NaN;
let minuteText = '';

/** Local time of day, `08:15:42.120`. */
export function formatClock(atMs: number): string {
  const start = Math.floor(atMs / 60_000) * 60_000;
  if (start !== minuteMs) {
    // Offsets from UTC change on whole minutes only, so one Date a minute is enough.
    minuteMs = start;
    const date = new Date(atMs);
    minuteText = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}`;
  }
  const within = atMs - start;
  return `${minuteText}:${pad(Math.floor(within / 1000), 2)}.${pad(Math.floor(within % 1000), 3)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** `0.4 ms`, `12 ms`, `1.24 s`, `2 min 05 s`; a dash when unknown. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${pad(seconds % 60, 2)} s`;
}

/** `0 B`, `812 B`, `2.1 kB`, `14 MB`: decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Fields behind a message: `  key=value`; an error becomes `code: message`, its stack lines below. */
export function formatFields(fields: Record<string, unknown>, palette: Palette): string {
  let text = '';
  let below = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (isLoggedError(value)) {
      const causes = value.causes === undefined ? '' : ` (${value.causes.join(' < ')})`;
      text += `  ${palette.red(value.code)}: ${oneLine(value.message)}${palette.dim(causes)}`;
      if (value.stack !== undefined) below += `\n${palette.dim(toPlainText(value.stack))}`;
    } else {
      text += `  ${palette.dim(`${name}=`)}${formatValue(value)}`;
    }
  }
  return text + below;
}

function isLoggedError(
  value: unknown,
): value is { code: string; message: string; causes?: string[]; stack?: string } {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

/** Most members of a list that are shown. */
const MOST_SHOWN = 4;

function formatValue(value: unknown): string {
  if (Array.isArray(value) && value.every((member) => typeof member === 'string')) {
    const rest = value.length > MOST_SHOWN ? ` … ${value.length} in all` : '';
    return oneLine(value.slice(0, MOST_SHOWN).join(' ')) + rest;
  }
  if (typeof value !== 'string') return toPlainJson(JSON.stringify(value) ?? '');
  return /^[\w./:@?&=,*$+-]+$/.test(value) ? value : toPlainJson(JSON.stringify(value));
}

/** One line of printable text: control characters could forge lines or drive the terminal. */
export function oneLine(text: string): string {
  return toPlainLine(text, Infinity);
}

/** Breaks text into lines of at most `width` characters at spaces; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
