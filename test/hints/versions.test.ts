/** Versions that were not recorded, and connections: from the bodies, lines and codes that they are known to give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { explain } from '../../src/hints/match.ts';
import { FAILURE_SAMPLES } from '../support/failure-samples.ts';

for (const { id, what, certainty, evidence } of FAILURE_SAMPLES) {
  test(`${what} is explained by ${id}`, () => {
    const hints = explain(evidence);
    // A companion may be named beside a certain hint; what is expected here is the cause itself.
    const hint = hints.find((candidate) => candidate.id === id);
    assert.ok(hint, `got ${hints.map((other) => other.id).join(', ') || 'nothing'}`);
    assert.equal(hint.certainty, certainty);
    if (certainty === 'certain') assert.equal(hints[0]?.id, id);
  });
}
