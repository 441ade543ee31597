import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { type ConformanceCase } from './support/conformance/cases.ts';
import { compare } from './support/conformance/compare.ts';
import { FHIR_CASES } from './support/conformance/fhir-cases.ts';
import { OAUTH_CASES } from './support/conformance/oauth-cases.ts';
import { createStage, type Stage } from './support/conformance/stage.ts';
import {
  loadNotCovered,
  loadTranscripts,
  type Transcript,
} from './support/conformance/transcript.ts';

const VERSION = '7.0.3';
/** Exchanges that were recorded against this version. */
const RECORDED = 323;
const LEAST_COVERED = 320;

const transcripts = loadTranscripts(VERSION);
const cases = new Map<number, ConformanceCase>(
  [...Object.entries(OAUTH_CASES), ...Object.entries(FHIR_CASES)].map(([number, each]) => [
    Number(number),
    each,
  ]),
);
const differing: number[] = [];

describe(`the sandbox answers as OpenEMR ${VERSION} was recorded to`, () => {
  let plain: Stage;
  let secure: Stage;

  before(async () => {
    [plain, secure] = await Promise.all([createStage(), createStage({ tls: true })]);
  });
  after(async () => {
    await Promise.all([plain.close(), secure.close()]);
    console.log(
      `conformance: ${cases.size} of ${RECORDED} transcripts, ${differing.length} differ`,
    );
  });

  for (const [number, each] of [...cases].sort(([a], [b]) => a - b)) {
    const transcript = transcripts.get(number);
    const name = `${String(number).padStart(3, '0')} ${transcript?.name ?? '(no fixture)'}`;
    test(name, async () => {
      assert.ok(transcript, `transcript ${number} is not in test/fixtures/openemr-${VERSION}`);
      const stage = each.tls === true ? secure : plain;
      stage.reset();
      const differences = await play(stage, transcript, each);
      if (differences.length > 0) differing.push(number);
      assert.equal(differences.join('\n'), '', transcript.what_was_done);
    });
  }
});

test('every recorded exchange is covered by a case or listed with a reason', () => {
  const notCovered = loadNotCovered(VERSION);
  const both = [...cases.keys()].filter((number) => notCovered.has(number));
  assert.deepEqual(both, [], 'covered and listed as not covered');
  assert.equal(cases.size + notCovered.size, RECORDED);
  assert.ok(cases.size >= LEAST_COVERED, `${cases.size} covered`);
  for (const reason of notCovered.values()) assert.match(reason, /\w{3}/);
});

describe('the comparison sees', () => {
  const recorded = (): Transcript => structuredClone(transcripts.get(4)) as Transcript;
  const CHANGES: readonly [string, (transcript: Transcript) => void, RegExp][] = [
    ['another status', ({ response }) => (response.status = 400), /^status: got 401, recorded 400/],
    ['another reason phrase', ({ response }) => (response.statusText = 'No'), /^reason phrase: /],
    [
      'another content type',
      ({ response }) => (response.headers['Content-Type'] = 'text/html'),
      /^field content-type: /,
    ],
    [
      'a field that only the recording has',
      ({ response }) => (response.headers['X-Only'] = '1'),
      /^field x-only: got undefined, recorded \["1"\]/,
    ],
    [
      'a cookie less',
      ({ response }) => (response.headers['Set-Cookie'] = []),
      /^cookies: got \["authserver/,
    ],
    [
      'another body',
      ({ response }) => Object.assign(response.body as object, { error: 'invalid' }),
      /^body: /m,
    ],
    ['a body of another length', ({ response }) => (response.body_bytes += 1), /^body length: /],
    ['a missing log line', (transcript) => (transcript.error_log_lines = []), /^log: /],
    [
      'another message in the log',
      (transcript) =>
        (transcript.error_log_lines = transcript.error_log_lines.map((line) =>
          line.replace('no client found', 'a client found'),
        )),
      /^log: /,
    ],
    [
      'another context key in the log',
      (transcript) =>
        (transcript.error_log_lines = transcript.error_log_lines.map((line) =>
          line.replace('{"client"', '{"customer"'),
        )),
      /^log: /,
    ],
  ];
  let stage: Stage;
  before(async () => {
    stage = await createStage();
  });
  after(() => stage.close());

  for (const [name, change, difference] of CHANGES) {
    test(name, async () => {
      stage.reset();
      const transcript = recorded();
      const replay = await stage.replay(transcript);
      assert.deepEqual(compare(transcript, replay), []);
      change(transcript);
      assert.match(compare(transcript, replay).join('\n'), difference);
    });
  }
});

async function play(
  stage: Stage,
  transcript: Transcript,
  each: ConformanceCase,
): Promise<string[]> {
  await each.prepare?.(stage, transcript);
  if (each.check !== undefined) return each.check(stage, transcript);
  const options =
    typeof each.request === 'function' ? each.request(stage, transcript) : each.request;
  const replay = await (each.run?.(stage, transcript) ?? stage.replay(transcript, options));
  return compare(transcript, replay, each.compare);
}
