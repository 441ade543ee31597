import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Evidence, SignedAssertion } from '../../src/hints/evidence.ts';
import { explain } from '../../src/hints/match.ts';
import { examineOurselves } from '../../src/hints/self-examination.ts';

const TOKEN_ENDPOINT = 'https://emr.example/oauth2/default/token';
const signed: SignedAssertion = {
  aud: TOKEN_ENDPOINT,
  alg: 'RS384',
  kid: 'k1',
  announcedTokenEndpoint: TOKEN_ENDPOINT,
  keyBits: 2048,
};
const fine: Evidence = {
  stage: 'token',
  status: 400,
  body: '{"error":"invalid_client","error_description":"Client authentication failed"}',
  logEntries: [],
  signed,
  clockDifferenceMs: 1000,
  firstRsaKeyIsOurs: true,
};

const table: { what: string; evidence: Partial<Evidence>; says: RegExp; id: string }[] = [
  {
    what: 'an audience that is not the announced endpoint',
    evidence: { signed: { ...signed, aud: 'https://emr.example/apis/default/fhir' } },
    says: /signed for the audience "https:\/\/emr\.example\/apis\/default\/fhir", but discovery announces/,
    id: 'assertion-aud-mismatch',
  },
  {
    what: 'a clock that is fast',
    evidence: { clockDifferenceMs: -90_000 },
    says: /our clock is 90 s ahead/,
    id: 'assertion-iat-future',
  },
  {
    what: 'a clock that is slow, before 7.0.4',
    evidence: { clockDifferenceMs: 400_000, serverVersion: '7.0.3' },
    says: /our clock is 400 s behind/,
    id: 'assertion-expired',
  },
  {
    what: 'a clock that is slow, since 7.0.4',
    evidence: { clockDifferenceMs: 400_000, serverVersion: '8.0.0' },
    says: /our clock is 400 s behind/,
    id: 'assertion-iat-too-old',
  },
  {
    what: 'another algorithm',
    evidence: { signed: { ...signed, alg: 'ES384' } },
    says: /signed with ES384/,
    id: 'assertion-alg-mismatch',
  },
  {
    what: 'a key that is not the first RSA key',
    evidence: { firstRsaKeyIsOurs: false },
    says: /not the first RSA key/,
    id: 'assertion-sig-mismatch',
  },
];

for (const { what, evidence, says, id } of table) {
  test(`${what} is found, and is the first hint when no log tells more`, () => {
    const examined = { ...fine, ...evidence };
    const wrong = examineOurselves(examined).filter(({ verdict }) => verdict === 'wrong');
    assert.equal(wrong.length, 1);
    assert.match(wrong[0]?.says ?? '', says);
    assert.equal(wrong[0]?.hintId, id);
    const [hint, checklist] = explain(examined);
    assert.equal(hint?.id, id);
    assert.equal(hint?.certainty, 'likely');
    assert.match(hint?.evidence ?? '', /^examined on our side: /);
    assert.equal(checklist?.id, 'assertion-refused');
  });
}

test('with nothing wrong on our side the checklist says what was ruled out, and asks for the rest', () => {
  const hints = explain({ ...fine, lastWorkedMs: 600_000 });
  assert.equal(hints.length, 1);
  const [hint] = hints;
  assert.equal(hint?.id, 'assertion-refused');
  assert.match(hint?.cause ?? '', /the audience equals the announced token endpoint/);
  assert.match(hint?.cause ?? '', /the clocks differ by 1 s/);
  assert.match(hint?.cause ?? '', /got a token 10 min ago/);
  assert.doesNotMatch(hint?.fix ?? '', /RS384|clock|"aud"|first RSA key/);
  assert.match(hint?.fix ?? '', /Set "errorLog" of the route/);
});

test('a 401 has its own checklist, about client and keys', () => {
  const [hint] = explain({ ...fine, status: 401 });
  assert.equal(hint?.id, 'client-refused');
  assert.match(hint?.fix ?? '', /\(1\) the client id is listed .* \(2\) the client is enabled/s);
  const [odd] = explain({ ...fine, status: 401, authorization: 'other' });
  assert.match(odd?.cause ?? '', /turns 400 into 401/);
});

test('a followed log that showed nothing makes a public client likely', () => {
  const hints = explain({ ...fine, status: 401, logFollowed: true });
  assert.deepEqual(
    hints.map(({ id, certainty }) => [id, certainty]),
    [
      ['client-public', 'likely'],
      ['client-refused', 'likely'],
    ],
  );
  assert.match(hints[1]?.fix ?? '', /is it the right file\?/);
});

test('what is not known is not examined', () => {
  assert.deepEqual(examineOurselves({ logEntries: [] }), []);
});

test('a small key and a clock that is a little slow are notes, not causes', () => {
  const findings = examineOurselves({
    ...fine,
    signed: { ...signed, keyBits: 1024 },
    clockDifferenceMs: 100_000,
  });
  assert.deepEqual(
    findings.filter(({ verdict }) => verdict === 'note').map(({ subject }) => subject),
    ['clock', 'key-size'],
  );
  assert.ok(findings.every(({ verdict }) => verdict !== 'wrong'));
});

test('a v2 scope on 7.0.3 is named with the right spelling', () => {
  const [hint] = explain({
    stage: 'token',
    status: 400,
    body: '{"error":"invalid_scope","hint":"Check the `system/Patient.rs` scope","message":"x"}',
    logEntries: [],
    serverVersion: '7.0.3',
    requestedScopes: ['system/Patient.rs'],
  });
  assert.equal(hint?.id, 'scope-invalid');
  assert.equal(hint?.certainty, 'certain');
  assert.match(hint?.fix ?? '', /Write "system\/Patient\.read" instead of "system\/Patient\.rs"/);
});

test('requested, granted and supported scopes are compared; the supported ones may be nested', () => {
  const findings = examineOurselves({
    logEntries: [],
    serverVersion: '8.0.0',
    requestedScopes: ['system/Patient.read', 'system/Patient.write'],
    grantedScopes: ['system/Patient.read'],
    scopesSupported: [['openid', 'system/Patient.read']],
  });
  assert.deepEqual(
    findings.map(({ subject, verdict }) => [subject, verdict]),
    [
      ['scopes-supported', 'note'],
      ['scopes-granted', 'wrong'],
    ],
  );
  assert.match(findings[0]?.says ?? '', /does not list "system\/Patient\.write"/);
});

test('a resource type that the server does not list is wrong', () => {
  const [finding] = examineOurselves({
    logEntries: [],
    serverVersion: '7.0.3',
    requestedScopes: ['system/Zebra.read'],
    scopesSupported: [['openid', 'system/Patient.read']],
  });
  assert.deepEqual([finding?.subject, finding?.verdict], ['scope-spelling', 'wrong']);
  assert.match(finding?.says ?? '', /"system\/Zebra\.read" names a resource type .* not offer/);
});

test('a scope that is granted in another spelling is granted', () => {
  const [finding] = examineOurselves({
    logEntries: [],
    requestedScopes: ['system/Patient.read'],
    grantedScopes: ['system/Patient.rs'],
  });
  assert.deepEqual([finding?.subject, finding?.verdict], ['scopes-granted', 'right']);
});

test('a list of supported scopes without system scopes, as of OpenEMR 8, tells nothing', () => {
  const findings = examineOurselves({
    logEntries: [],
    requestedScopes: ['system/Patient.read'],
    scopesSupported: ['openid', 'user/Patient.rs'],
  });
  assert.deepEqual(findings, []);
});
