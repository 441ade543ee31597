/** A recorded exchange with a real OpenEMR, as the files in test/fixtures/openemr-* hold it. */
import { readdirSync, readFileSync } from 'node:fs';

const FIXTURES = new URL('../../fixtures/', import.meta.url);

/** A decoded JWT of a recording. */
export interface RecordedJwt {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  signature_bytes: number;
}

/** One file. Members that a few recordings lack are optional. */
export interface Transcript {
  /** Number that the file name begins with. */
  number: number;
  name: string;
  what_was_done: string;
  request: {
    method: string;
    url: string;
    headers: Record<string, string>;
    /** Parameters of a form; long values are cut, tokens are `<JWT n chars>`. */
    form?: Record<string, string>;
    body?: string;
    body_bytes?: number;
    assertion_decoded?: RecordedJwt;
    bearer_decoded?: RecordedJwt;
  };
  response: {
    status: number;
    statusText: string;
    headers: Record<string, string | string[]>;
    body_is_json: boolean;
    /** Parsed when `body_is_json` and whole; else the text, or its beginning. */
    body: unknown;
    body_bytes: number;
    body_note?: string;
  };
  error_log_lines: string[];
}

/** All recordings of a version that the repository holds, by number. */
export function loadTranscripts(version: string): Map<number, Transcript> {
  const folder = new URL(`openemr-${version}/`, FIXTURES);
  const files = readdirSync(folder).filter((name) => /^\d{3}-.*\.json$/.test(name));
  return new Map(
    files.sort().map((name) => {
      const transcript = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Transcript;
      const number = Number(name.slice(0, 3));
      return [number, { ...transcript, number }];
    }),
  );
}

/** The numbers that no case covers, each with the reason: `not-covered.json`. */
export function loadNotCovered(version: string): Map<number, string> {
  const file = new URL(`openemr-${version}/not-covered.json`, FIXTURES);
  const entries = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return new Map(Object.entries(entries).map(([number, reason]) => [Number(number), reason]));
}

/** When the recorded server answered, milliseconds since the epoch. */
export function recordedAtMs(transcript: Transcript): number {
  return Date.parse(String(transcript.response.headers['Date']));
}
