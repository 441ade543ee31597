import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';

import { buildClientAssertion } from '../../src/auth/client-assertion.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { createManualClock } from '../support/clock.ts';
import { es384Key, rs384Key } from '../support/keys.ts';

const AUDIENCE = 'https://localhost:9300/oauth2/default/token';

for (const made of [rs384Key(), es384Key()]) {
  test(`${made.alg}: says what SMART asks for, and verifies`, async () => {
    const clock = createManualClock(1_795_458_445_842);
    const key = await loadSigningKey(made.text);
    const assertion = await buildClientAssertion({
      key,
      clientId: 'client-1',
      audience: AUDIENCE,
      clock,
    });
    const { payload, protectedHeader } = await jwtVerify(assertion, made.publicKey, {
      currentDate: new Date(clock.now()),
    });
    assert.deepEqual(protectedHeader, { typ: 'JWT', alg: made.alg, kid: made.kid });
    const { jti, ...claims } = payload;
    assert.deepEqual(claims, {
      iss: 'client-1',
      sub: 'client-1',
      aud: AUDIENCE,
      iat: 1_795_458_445,
      exp: 1_795_458_445 + 240,
    });
    assert.match(jti ?? '', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });
}

test('every assertion has a jti of its own', async () => {
  const key = await loadSigningKey(es384Key().text);
  const clock = createManualClock();
  const ids = new Set<unknown>();
  for (let count = 0; count < 100; count += 1) {
    const assertion = await buildClientAssertion({ key, clientId: 'c', audience: 'a', clock });
    ids.add(decodeJwt(assertion).jti);
  }
  assert.equal(ids.size, 100);
});

test('kid is the one that the key was loaded with', async () => {
  const key = await loadSigningKey(rs384Key().pem, { keyId: 'chosen' });
  const clock = createManualClock();
  const assertion = await buildClientAssertion({ key, clientId: 'c', audience: 'a', clock });
  assert.equal(decodeProtectedHeader(assertion).kid, 'chosen');
});

test('an assertion lives 1 to 300 seconds', async () => {
  const key = await loadSigningKey(es384Key().text);
  const clock = createManualClock(1_000_000);
  const build = (lifetimeSeconds: number) =>
    buildClientAssertion({ key, clientId: 'c', audience: 'a', clock, lifetimeSeconds });
  for (const seconds of [1, 60, 300]) {
    const { iat, exp } = decodeJwt(await build(seconds));
    assert.deepEqual([iat, exp], [1000, 1000 + seconds]);
  }
  for (const seconds of [0, -1, 301, Number.NaN, Infinity]) {
    await assert.rejects(build(seconds), {
      name: 'RangeError',
      message: `lifetimeSeconds is ${seconds}: expected 1 to 300`,
    });
  }
});
