/**
 * Date parameters: `ge2025-03`, `2025-01-01T10:00:00Z`. A value that leaves parts out stands for the
 * whole span of time that it names; the prefix says how to compare with it (FHIR R4, Search).
 */

/** A span of time with how to compare. */
export interface DateRange {
  comparator: string;
  lowMs: number;
  highMs: number;
}

const FORMAT =
  /^(\D{2})?(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?(?:\.(\d{1,4}))?(Z|[+-]\d{2}:\d{2})?$/;
const COMPARATORS = new Set(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb']);

/** OpenEMR's words for a value that is no date; "8610" is its own. */
const BAD_DATE =
  'Date format invalid must match ISO8610 format and values SHALL be populated from left to right';

/** The span that a value names, or OpenEMR's words for what is wrong with it. */
export function parseDateRange(value: string): DateRange | string {
  const match = FORMAT.exec(value);
  if (match === null) return BAD_DATE;
  const [, comparator = 'eq', year = '', month, day, hour, minute, second, fraction, zone] = match;
  if (hour !== undefined && second === undefined) {
    return 'Date format requires minutes to be specified if an hour is provided';
  }
  if (!COMPARATORS.has(comparator)) return `Invalid comparator found for value ${value}`;
  const lowMonth = clamp(month, 1, 12) ?? 1;
  const highMonth = clamp(month, 1, 12) ?? 12;
  const lastDay = new Date(Date.UTC(Number(year), highMonth, 0)).getUTCDate();
  const parts = {
    hour: clamp(hour, 0, 23),
    minute: clamp(minute, 0, 59),
    second: clamp(second, 0, 59),
    millisecond: clamp(fraction, 0, 999),
  };
  const offsetMs = zoneOffsetMs(zone);
  const low = Date.UTC(
    Number(year),
    lowMonth - 1,
    clamp(day, 1, lastDay) ?? 1,
    parts.hour ?? 0,
    parts.minute ?? 0,
    parts.second ?? 0,
    parts.millisecond ?? 0,
  );
  const high = Date.UTC(
    Number(year),
    highMonth - 1,
    clamp(day, 1, lastDay) ?? lastDay,
    parts.hour ?? 23,
    parts.minute ?? 59,
    parts.second ?? 59,
    parts.millisecond ?? 999,
  );
  return { comparator, lowMs: low - offsetMs, highMs: high - offsetMs };
}

/** Whether a moment, milliseconds since the epoch, passes. */
export function isInRange(momentMs: number, { comparator, lowMs, highMs }: DateRange): boolean {
  switch (comparator) {
    case 'ne':
      return momentMs < lowMs || momentMs > highMs;
    case 'gt':
    case 'sa':
      return momentMs > highMs;
    case 'ge':
      return momentMs >= lowMs;
    case 'lt':
    case 'eb':
      return momentMs < lowMs;
    case 'le':
      return momentMs <= highMs;
    default:
      return momentMs >= lowMs && momentMs <= highMs;
  }
}

function clamp(text: string | undefined, low: number, high: number): number | undefined {
  return text === undefined ? undefined : Math.min(Math.max(Number(text), low), high);
}

function zoneOffsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
