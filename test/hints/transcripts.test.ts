/** Every recorded failure of the two recorded versions must be explained by its cause. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';

import { findEntry } from '../../src/hints/catalogue/index.ts';
import type { Evidence } from '../../src/hints/evidence.ts';
import { parseExchangeFile } from '../../src/hints/exchange-file.ts';
import { explain } from '../../src/hints/match.ts';
import {
  EXPECTED_HINTS,
  NO_FAILURE,
  ONLY_LIKELY,
  RECORDED_VERSIONS,
  type RecordedVersion,
} from '../support/expected-hints.ts';

interface Recording {
  name: string;
  status: number;
  evidence: Evidence;
}

function loadRecordings(version: RecordedVersion): Map<number, Recording> {
  const folder = new URL(`../fixtures/openemr-${version}/`, import.meta.url);
  const recordings = new Map<number, Recording>();
  for (const name of readdirSync(folder).filter((file) => /^\d{3}-.*\.json$/.test(file))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    if (!/"response":/.test(text)) continue;
    const evidence = parseExchangeFile(text);
    recordings.set(Number(name.slice(0, 3)), { name, status: evidence.status ?? 0, evidence });
  }
  return recordings;
}

const withoutLog = (evidence: Evidence): Evidence => ({
  ...evidence,
  logEntries: [],
  logFollowed: false,
});

for (const version of RECORDED_VERSIONS) {
  describe(`recorded failures of OpenEMR ${version}`, () => {
    const recordings = loadRecordings(version);
    const expected = new Map(
      Object.entries(EXPECTED_HINTS[version]).flatMap(([id, list]) =>
        list.map((number) => [number, id] as const),
      ),
    );
    after(() => console.log(`explained: ${expected.size} recordings of OpenEMR ${version}`));

    test('every one is in the table', () => {
      const failing = [...recordings].filter(([, { status }]) => status >= 400);
      assert.deepEqual(
        failing.filter(([number]) => !expected.has(number)).map(([, { name }]) => name),
        [],
      );
      for (const number of [...expected.keys(), ...NO_FAILURE[version]]) {
        assert.ok(recordings.has(number), `no recording ${number}`);
      }
    });

    for (const [number, id] of expected) {
      const { name, evidence } = recordings.get(number) ?? assert.fail(`no recording ${number}`);
      test(`${name.slice(0, -5)} is explained by ${id}`, () => {
        assert.ok(findEntry(id), `"${id}" is not in the catalogue`);
        const certainty = ONLY_LIKELY[version].has(number) ? 'likely' : 'certain';
        // The version is known to the proxy only where /metadata tells it.
        for (const known of [evidence, { ...evidence, serverVersion: version }]) {
          const hints = explain(known);
          assert.equal(hints[0]?.id, id);
          assert.equal(hints[0]?.certainty, certainty);
          assert.ok(hints.length <= 3);
          assertNothingSecret(JSON.stringify(hints));
        }
        const proven = new Set(
          explain(evidence)
            .filter((hint) => hint.certainty === 'certain')
            .map((hint) => hint.id),
        );
        const unlogged = explain(withoutLog(evidence));
        for (const hint of unlogged) {
          if (hint.certainty === 'certain') assert.ok(proven.has(hint.id), `certain of ${hint.id}`);
        }
        if ((evidence.status ?? 0) >= 400)
          assert.notEqual(unlogged.length, 0, 'nothing without log');
      });
    }

    for (const number of NO_FAILURE[version]) {
      test(`recording ${number} hides no failure, and none is invented`, () => {
        const { evidence } = recordings.get(number) ?? assert.fail(`no recording ${number}`);
        assert.deepEqual(explain(evidence), []);
      });
    }

    test('without a log, invalid_client is not guessed at: the checklist of its status comes last', () => {
      for (const [, { name, evidence }] of recordings) {
        if (!/"invalid_client"/.test(evidence.body ?? '')) continue;
        const hints = explain(withoutLog(evidence));
        assert.ok(
          hints.every((hint) => hint.certainty === 'likely'),
          name,
        );
        const checklist = evidence.status === 401 ? 'client-refused' : 'assertion-refused';
        assert.equal(hints.at(-1)?.id, checklist, name);
      }
    });
  });
}

function assertNothingSecret(text: string): void {
  assert.doesNotMatch(text, /eyJ[\w-]{10}|<JWT|OpenEMR=|PHPSESSID/, 'a token or cookie');
  assert.doesNotMatch(
    text,
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i,
    'an id of a record',
  );
}
