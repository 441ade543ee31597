import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import {
  ageMs,
  holdToken,
  isAlive,
  isRenewalDue,
  isUsable,
  type Moment,
  renewAfterMs,
  usableForMs,
} from '../../src/auth/token-lifetime.ts';

const SENT: Moment = { wallMs: 1_795_459_337_200, monotonicMs: 5000 };

function held(expiresInSeconds: number) {
  return holdToken({
    accessToken: 'the-secret-value',
    generation: 3,
    sent: SENT,
    expiresInSeconds,
    requestedScopes: ['system/Patient.read', 'system/Group.read'],
    grantedScopes: ['system/Patient.read'],
  });
}

/** Both clocks `ms` later, or each by its own amount. */
function later(ms: number, monotonicMs = ms): Moment {
  return { wallMs: SENT.wallMs + ms, monotonicMs: SENT.monotonicMs + monotonicMs };
}

test('a token is renewed from 75 % of its life and not used in its last 10 s or last tenth', () => {
  const cases: [seconds: number, renewMs: number, usableMs: number][] = [
    [300, 225_000, 290_000],
    [3600, 2_700_000, 3_590_000],
    [100, 75_000, 90_000],
    [60, 45_000, 54_000],
    [3, 2250, 2700],
    [1, 750, 900],
    [10_000_000_000, 64_800_000, 86_390_000],
  ];
  for (const [seconds, renewMs, usableMs] of cases) {
    const token = held(seconds);
    assert.equal(renewAfterMs(token), renewMs, `renewal of ${seconds} s`);
    assert.equal(usableForMs(token), usableMs, `use of ${seconds} s`);
    assert.equal(isRenewalDue(token, later(renewMs - 1)), false);
    assert.equal(isRenewalDue(token, later(renewMs)), true);
    assert.equal(isUsable(token, later(usableMs - 1)), true);
    assert.equal(isUsable(token, later(usableMs)), false);
  }
});

test('a token lives until its announced end, counted from the sending of the request', () => {
  const token = held(300);
  assert.equal(token.token.obtainedAtMs, SENT.wallMs);
  assert.equal(token.token.expiresAtMs, SENT.wallMs + 300_000);
  assert.equal(isAlive(token, later(299_999)), true);
  assert.equal(isAlive(token, later(300_000)), false);
});

test('the clock that has gone further counts', () => {
  const token = held(300);
  assert.equal(ageMs(token, later(1000)), 1000);
  assert.equal(isUsable(token, later(600_000, 1000)), false, 'the machine slept');
  assert.equal(isAlive(token, later(600_000, 1000)), false, 'the machine slept');
  assert.equal(isAlive(token, later(-3_600_000, 301_000)), false, 'the wall clock was set back');
  assert.equal(isUsable(token, later(-1, 1000)), true);
  assert.equal(isRenewalDue(token, later(-1, 1000)), true, 'set back: renew to be sure');
});

test('printing a token shows no secret, and nothing in it can be changed', () => {
  const { token } = held(300);
  assert.equal(token.value, 'the-secret-value');
  for (const print of [JSON.stringify(token), inspect(token), String(Object.entries(token))]) {
    assert.doesNotMatch(print, /the-secret-value/);
  }
  assert.throws(() => Object.assign(token, { generation: 9 }), TypeError);
  assert.throws(() => (token.grantedScopes as string[]).push('system/*.read'), TypeError);
});
