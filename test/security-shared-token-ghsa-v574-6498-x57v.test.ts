/**
 * Keys put together from several values that collide: GHSA-v574-6498-x57v (fastify's reply-from
 * joined source and destination). Routes whose client ids, paths and scopes join to the same text
 * never share a token.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startProxy } from './support/proxy.ts';

test('routes that differ in their scopes alone have tokens of their own', async (t) => {
  const { url, received, authorization, config } = await startProxy(t, {
    scopes: ['system/Patient.read', 'system/Observation.read'],
    further: [{ path: '/fhir/system' }],
  });
  assert.equal(config.routes.length, 2);
  for (const path of ['/fhir/Patient/1', '/fhir/system/Patient/1']) {
    assert.equal((await fetch(url + path)).status, 200);
  }
  const [one, two] = received.map(({ headers }) => headers.authorization);
  assert.equal(authorization.issued.length, 2);
  assert.notEqual(one, two);
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
