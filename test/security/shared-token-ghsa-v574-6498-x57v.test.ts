/**
 * Keys put together from several values that collide: GHSA-v574-6498-x57v (fastify's reply-from
 * joined source and destination). Routes whose client ids, paths and scopes join to the same text
 * never share a token.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type TokenAttemptOptions, buildTokenKey } from '../../src/auth/token-attempt.ts';
import { rs384Key } from '../support/keys.ts';
import { startProxy } from '../support/proxy.ts';

test('routes that differ in their scopes alone have tokens of their own', async (t) => {
  const key = rs384Key();
  const { url, received, authorization } = await startProxy(t, {
    key,
    scopes: ['system/Patient.read', 'system/Observation.read'],
    further: [
      {
        path: '/fhir/system',
        client: { id: 'test-client', key: key.text, scopes: ['system/Patient.read'] },
      },
    ],
  });
  for (const path of ['/fhir/Patient/1', '/fhir/system/Patient/1']) {
    assert.equal((await fetch(url + path)).status, 200);
  }
  const [one, two] = received.map(({ headers }) => headers.authorization);
  assert.equal(authorization.issued.length, 2);
  assert.notEqual(one, two);
  assert.deepEqual(
    authorization.requests.map(({ form }) => form.get('scope')),
    ['system/Patient.read system/Observation.read', 'system/Patient.read'],
  );
});

test('no two clients have one key, however the parts of their keys join', () => {
  const rest = { discovery: { url: 'u' }, key: { alg: 'RS384', kid: 'k' } };
  const key = (id: string, ...scopes: string[]) =>
    buildTokenKey({ client: { id, scopes }, ...rest } as unknown as TokenAttemptOptions);
  const keys = [
    key('a', 'b', 'c'),
    key('a', 'b c'),
    key('a', 'bc'),
    key('ab', 'c'),
    key('abc'),
    key('a","b', 'c'),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('a path that joins two routes belongs to the longer one, and to it alone', async (t) => {
  const { url, received } = await startProxy(t, {
    route: { path: '/a' },
    further: [{ path: '/a/b' }, { path: '/ab' }],
  });
  for (const path of ['/a/b/Patient/1', '/ab/Patient/1', '/a/Patient/1']) await fetch(url + path);
  assert.deepEqual(
    received.map(({ url: target }) => target),
    Array.from({ length: 3 }, () => '/apis/default/fhir/Patient/1'),
  );
  assert.equal(new Set(received.map(({ headers }) => headers.authorization)).size, 3);
});
