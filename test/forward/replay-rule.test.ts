import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { AccessToken } from '../../src/base/contracts.ts';
import { parseInteraction } from '../../src/fhir/interaction.ts';
import { createReplayRule, type IncurableReason, refusesToken } from '../../src/forward/replay.ts';
import { loadTranscripts, type Transcript } from '../support/conformance/transcript.ts';

const READ = parseInteraction('GET', '/Patient/1');
const EXPORT = parseInteraction('GET', '/Patient/$export');

function setUp() {
  let nowMs = 1_000_000;
  let current: AccessToken | undefined;
  const rule = createReplayRule({
    tokens: { current: () => current },
    clock: { now: () => nowMs },
  });
  const token = (
    generation: number,
    ageMs: number,
    scopes = ['system/Patient.read'],
  ): AccessToken => ({
    value: 't',
    generation,
    obtainedAtMs: nowMs - ageMs,
    expiresAtMs: nowMs - ageMs + 300_000,
    requestedScopes: scopes,
    grantedScopes: scopes,
  });
  return {
    rule,
    token,
    advance: (ms: number) => (nowMs += ms),
    setCurrent: (token: AccessToken) => (current = token),
  };
}

describe('a 401', () => {
  test('of an old token with a covering scope may be cured', () => {
    const { rule, token } = setUp();
    assert.equal(rule.judge({ token: token(1, 5_000), interaction: READ, body: '' }), undefined);
  });

  test('of a token younger than 2 s is left alone when that was got in place of a refused one', () => {
    const { rule, token } = setUp();
    const judge = (generation: number, ageMs: number) =>
      rule.judge({ token: token(generation, ageMs), interaction: READ, body: '' });
    assert.equal(judge(1, 9_000), undefined);
    assert.equal(judge(2, 0), 'young-token');
    assert.equal(judge(2, 1_999), 'young-token');
    assert.equal(judge(2, 2_000), undefined);
    assert.equal(judge(3, 0), 'young-token');
  });

  test('of a young token that replaced none may be cured, for every call that had it', () => {
    const { rule, token } = setUp();
    const judge = (generation: number) =>
      rule.judge({ token: token(generation, 0), interaction: READ, body: '' });
    assert.equal(judge(1), undefined);
    assert.equal(judge(1), undefined);
    assert.equal(judge(2), 'young-token');
    // Renewed for its age meanwhile.
    assert.equal(judge(3), undefined);
  });

  test('of a young replacement is looked at afresh once key or config have changed', () => {
    const { rule, token } = setUp();
    const judge = (generation: number) =>
      rule.judge({ token: token(generation, 0), interaction: READ, body: '' });
    assert.equal(judge(1), undefined);
    assert.equal(judge(2), 'young-token');
    rule.reset();
    assert.equal(judge(2), undefined);
  });

  test('of a young token is cured when a newer one is in hand', () => {
    const { rule, token, setCurrent } = setUp();
    setCurrent(token(2, 0));
    assert.equal(rule.judge({ token: token(1, 500), interaction: READ, body: '' }), undefined);
  });

  test('for want of a scope is left alone, as OpenEMR 7 tells by an empty body', () => {
    const { rule, token } = setUp();
    const observation = parseInteraction('GET', '/Observation');
    assert.equal(
      rule.judge({ token: token(1, 9_000), interaction: observation, body: '' }),
      'scope',
    );
    assert.equal(rule.judge({ token: token(1, 9_000), interaction: EXPORT, body: '' }), 'scope');
  });

  test('for want of a scope is left alone, as OpenEMR 8 tells by its message', () => {
    const { rule, token } = setUp();
    const body = '{"error":"An error occurred","message":"Unauthorized","code":0}';
    assert.equal(rule.judge({ token: token(1, 9_000), interaction: READ, body }), 'scope');
  });

  test('for a bad token on OpenEMR 8 may be cured, though its body is JSON', () => {
    const { rule, token } = setUp();
    const body =
      '{"error":"An error occurred","message":"The resource owner or authorization server denied the request.","code":0}';
    assert.equal(rule.judge({ token: token(1, 9_000), interaction: READ, body }), undefined);
  });

  test('that a fresh token did not cure is left alone for 30 s, per resource type', () => {
    const { rule, token, advance } = setUp();
    const scopes = ['system/Patient.read', 'system/Observation.read'];
    const judge = (interaction = READ) =>
      rule.judge({ token: token(1, 9_000, scopes), interaction, body: '' });
    rule.note(READ, false);
    assert.equal(judge(), 'uncured');
    assert.equal(judge(parseInteraction('GET', '/Patient')), 'uncured');
    assert.equal(judge(parseInteraction('GET', '/Observation')), undefined);
    advance(30_000);
    assert.equal(judge(), undefined);
  });

  test('is looked at afresh once a replay was cured, or key or config have changed', () => {
    const { rule, token } = setUp();
    const judge = () => rule.judge({ token: token(1, 9_000), interaction: READ, body: '' });
    rule.note(READ, false);
    rule.note(READ, true);
    assert.equal(judge(), undefined);
    rule.note(READ, false);
    rule.reset();
    assert.equal(judge(), undefined);
  });
});

describe('what OpenEMR was recorded to answer', () => {
  const CASES: readonly [version: string, number: number, judged: IncurableReason | undefined][] = [
    ['7.0.3', 301, undefined],
    ['7.0.3', 315, undefined],
    ['7.0.3', 319, 'scope'],
    ['7.0.3', 520, undefined],
    ['8.0.0', 301, undefined],
    ['8.0.0', 313, undefined],
    ['8.0.0', 314, undefined],
    ['8.0.0', 315, undefined],
    ['8.0.0', 319, 'scope'],
    ['8.0.0', 434, 'scope'],
    ['8.0.0', 446, 'scope'],
    ['8.0.0', 520, undefined],
    ['8.0.0', 903, 'scope'],
    ['8.0.0', 906, 'scope'],
    ['8.0.0', 914, 'scope'],
    ['8.0.0', 971, 'other-cause'],
  ];
  for (const [version, number, judged] of CASES) {
    const { name, request, response } = loadTranscripts(version).get(number) as Transcript;
    test(`${version} ${name}: ${judged ?? 'renew'}`, () => {
      const { rule, token } = setUp();
      const body =
        typeof response.body === 'string' ? response.body : JSON.stringify(response.body);
      const path = new URL(request.url).pathname.replace('/apis/default/fhir', '');
      const interaction = parseInteraction(request.method, path);
      assert.ok(refusesToken(response.status, body));
      // The token of the recording, and for those without one a token that would do.
      const claimed = request.bearer_decoded?.claims['scopes'] as string[] | undefined;
      const scopes = claimed ?? ['system/Patient.read'];
      assert.equal(rule.judge({ token: token(1, 9_000, scopes), interaction, body }), judged);
    });
  }

  test('a 400 refuses a token only where it says so', () => {
    const gone = { error: 'An error occurred', message: 'Refresh Token revoked or logged out' };
    assert.ok(refusesToken(400, JSON.stringify({ ...gone, code: 0 })));
    assert.ok(refusesToken(400, JSON.stringify({ ...gone, error: 'invalid _request' })));
    assert.equal(refusesToken(400, '{"validationErrors":{"_id":"x"}}'), false);
    assert.equal(refusesToken(403, JSON.stringify(gone)), false);
    const { rule, token } = setUp();
    const body = JSON.stringify({ ...gone, code: 0 });
    assert.equal(rule.judge({ token: token(1, 9_000), interaction: READ, body }), undefined);
  });
});
