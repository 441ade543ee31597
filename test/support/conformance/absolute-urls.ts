/** The survey of absolute URLs: which answers name the server itself, and how they write the slashes. */
import { normaliseText } from './compare.ts';
import { startRecordedExport } from './export-cases.ts';
import { loadRecordedData } from './recorded-data.ts';
import type { Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** One answer of the survey. */
interface SurveyResult {
  what: string;
  url: string;
  status?: number;
  slashes: string;
  own_absolute_urls_plain: string[];
  own_absolute_urls_escaped?: string[];
  raw_first_300: string;
}

/** What the recorded server held besides patients. */
const LOCATIONS = 17;
/** The recorder kept that many escaped URLs of an answer. */
const MOST_ESCAPED = 6;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** @returns one sentence for each difference */
export async function compareSurvey(stage: Stage, transcript: Transcript): Promise<string[]> {
  loadRecordedData(stage);
  addPlaces(stage);
  const bearer = await startRecordedExport(stage, stage.server.surveyFilesBefore);
  const [job = ''] = stage.sandbox.state.exportJobs.keys();
  const { results } = transcript as unknown as { results: SurveyResult[] };
  const differences: string[] = [];
  for (const recorded of results) {
    const target = recorded.url.slice(stage.server.origin.length).replace(/(?<=job=).*/, job);
    const response = await fetch(`${stage.sandbox.url}${target}`, {
      headers: { Authorization: `Bearer ${bearer}` },
    });
    const actual = describe(stage.server.origin, recorded, response.status, await response.text());
    const { own_absolute_urls_escaped: escaped } = recorded;
    const expected = {
      ...recorded,
      ...(escaped === undefined ? {} : { own_absolute_urls_escaped: withoutIds(escaped) }),
      raw_first_300: normaliseHead(recorded.raw_first_300),
    };
    for (const [member, value] of Object.entries(expected)) {
      const [a, b] = [actual[member as keyof SurveyResult], value].map((v) => JSON.stringify(v));
      if (a !== b) differences.push(`${recorded.what}, ${member}: got ${a}, recorded ${b}`);
    }
  }
  return differences;
}

function describe(
  origin: string,
  recorded: SurveyResult,
  status: number,
  text: string,
): SurveyResult {
  const plain = ownUrls(text, origin);
  const escaped = ownUrls(text, origin.replaceAll('/', '\\/'));
  return {
    ...recorded,
    ...(recorded.status === undefined ? {} : { status }),
    slashes: (
      recorded.own_absolute_urls_escaped === undefined ? text.includes('\\/') : escaped.length > 0
    )
      ? 'escaped \\/'
      : 'plain /',
    own_absolute_urls_plain: plain,
    ...(recorded.own_absolute_urls_escaped === undefined
      ? {}
      : { own_absolute_urls_escaped: escaped.slice(0, MOST_ESCAPED) }),
    raw_first_300: normaliseHead(text.slice(0, recorded.raw_first_300.length)),
  };
}

function ownUrls(text: string, origin: string): string[] {
  const found = text.split('"').filter((part) => part.startsWith(origin));
  return withoutIds(found);
}

function withoutIds(urls: readonly string[]): string[] {
  return [...new Set(urls.map((url) => url.replace(UUID, '<uuid>')))];
}

function normaliseHead(text: string): string {
  // The head may end inside an id.
  return normaliseText(text)
    .replace(UUID, '<uuid>')
    .replace(/(?<=\/)[0-9a-f-]+$/, '<uuid>');
}

/** The practice and its places, of which the survey shows no more than their number and ids. */
function addPlaces({ sandbox }: Stage): void {
  const { records } = sandbox.state;
  const meta = { versionId: '1', lastUpdated: '2026-11-23T18:23:51+00:00' };
  records.put({ id: crypto.randomUUID(), meta, resourceType: 'Organization' });
  for (let number = 0; number < LOCATIONS; number += 1) {
    records.put({ id: crypto.randomUUID(), meta, resourceType: 'Location' });
  }
}
