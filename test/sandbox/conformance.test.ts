import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { SandboxVersion } from '../../src/sandbox/index.ts';
import type { CaseTable, ConformanceCase } from '../support/conformance/cases.ts';
import { compare } from '../support/conformance/compare.ts';
import { FHIR_CASES } from '../support/conformance/fhir-cases.ts';
import { OAUTH_CASES } from '../support/conformance/oauth-cases.ts';
import { OPENEMR_8_0_0_CASES } from '../support/conformance/openemr-8.0.0-cases.ts';
import { createStage, type Stage } from '../support/conformance/stage.ts';
import {
  loadNotCovered,
  loadTranscripts,
  type Transcript,
} from '../support/conformance/transcript.ts';

/** A recording, and what has to be covered of it. */
interface Recording {
  version: SandboxVersion;
  /** Exchanges that were recorded. */
  recorded: number;
  leastCovered: number;
  cases: CaseTable;
}

const RECORDINGS: readonly Recording[] = [
  { version: '7.0.3', recorded: 323, leastCovered: 320, cases: {} },
  { version: '8.0.0', recorded: 469, leastCovered: 465, cases: OPENEMR_8_0_0_CASES },
];

for (const { version, recorded, leastCovered, cases: own } of RECORDINGS) {
  const transcripts = loadTranscripts(version);
  const notCovered = loadNotCovered(version);
  // The same number is the same case in both recordings; neither has all of them.
  const cases = Object.entries({ ...OAUTH_CASES, ...FHIR_CASES, ...own })
    .map(([number, each]): [number, ConformanceCase] => [Number(number), each])
    .filter(([number]) => transcripts.has(number));
  const differing: number[] = [];

  describe(`the sandbox answers as OpenEMR ${version} was recorded to`, () => {
    let plain: Stage;
    let secure: Stage;

    before(async () => {
      [plain, secure] = await Promise.all([
        createStage(version),
        createStage(version, { tls: true }),
      ]);
    });
    after(async () => {
      await Promise.all([plain.close(), secure.close()]);
      console.log(
        `conformance ${version}: ${cases.length} of ${recorded} transcripts, ${differing.length} differ`,
      );
    });

    for (const [number, each] of cases.sort(([a], [b]) => a - b)) {
      const transcript = transcripts.get(number)!;
      test(`${String(number).padStart(3, '0')} ${transcript.name}`, async () => {
        const stage = each.tls === true ? secure : plain;
        stage.reset();
        const differences = await play(stage, transcript, each);
        if (differences.length > 0) differing.push(number);
        assert.equal(differences.join('\n'), '', transcript.what_was_done);
      });
    }
  });

  test(`every exchange recorded of ${version} is covered by a case or listed with a reason`, () => {
    const both = cases.filter(([number]) => notCovered.has(number));
    assert.deepEqual(both, [], 'covered and listed as not covered');
    assert.equal(cases.length + notCovered.size, recorded);
    assert.ok(cases.length >= leastCovered, `${cases.length} covered`);
    for (const reason of notCovered.values()) assert.match(reason, /\w{3}/);
  });
}

test('every case is of a recorded exchange', () => {
  const seven = loadTranscripts('7.0.3');
  const eight = loadTranscripts('8.0.0');
  for (const number of Object.keys({ ...OAUTH_CASES, ...FHIR_CASES }).map(Number)) {
    assert.ok(seven.has(number) || eight.has(number), String(number));
  }
  for (const number of Object.keys(OPENEMR_8_0_0_CASES))
    assert.ok(eight.has(Number(number)), number);
});

describe('the comparison sees', () => {
  const recorded = (): Transcript => structuredClone(loadTranscripts('7.0.3').get(4)) as Transcript;
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
    stage = await createStage('7.0.3');
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
