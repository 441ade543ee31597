/**
 * Credentials that a client brings along: kubectl's and Envoy's proxies let them win over their own
 * (client-go's bearer round tripper, "overwrite: false"), aws-sigv4-proxy signed them, and
 * cloud-run-proxy sent requests on without a token when it could get none. Here a client's own go
 * nowhere, and without a token nothing is sent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startProxy } from '../support/proxy.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

const CREDENTIALS: readonly (readonly [name: string, fields: string[], target?: string])[] = [
  ['a bearer token', ['Authorization: Bearer of-the-client']],
  ['in another letter case', ['aUTHORIZATION: bearer of-the-client']],
  ['a user and a password', ['Authorization: Basic b2YtdGhlLWNsaWVudA==']],
  ['two tokens', ['Authorization: Bearer of-the-client', 'Authorization: Bearer of-the-client']],
  ['an empty one', ['Authorization:']],
  [
    'one that Connection names',
    ['Authorization: Bearer of-the-client', 'Connection: Authorization'],
  ],
  ['with an underscore', ['HTTP_AUTHORIZATION: of-the-client', '_Authorization: of-the-client']],
  ['for a proxy', ['Proxy-Authorization: Basic of-the-client']],
  ['a cookie', ['Cookie: OpenEMR=of-the-client']],
  ['the token of OpenEMR’s own pages', ['APICSRFTOKEN: of-the-client']],
  ['an API key', ['X-API-Key: of-the-client']],
  ['of an allowed page', ['Origin: http://localhost:3000', 'Authorization: Bearer of-the-client']],
  ['in a body of GET', ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 0']],
];

for (const [name, fields] of CREDENTIALS) {
  test(`credentials of a client, ${name}: the proxy's token is sent, once, and nothing of theirs`, async (t) => {
    const { port, received, authorization } = await startProxy(t);
    const head = rawHead(['GET /fhir/Patient/1 HTTP/1.1', 'Host: localhost', ...fields]);
    assert.equal((await rawRequest(head, { port })).answers[0]?.status, 200);
    assert.equal(received.length, 1);
    const { rawHeaders } = received[0]!;
    const sent = rawHeaders.filter((_, i) => i % 2 === 0 && /authorization/i.test(rawHeaders[i]!));
    assert.deepEqual(sent, ['Authorization']);
    const at = rawHeaders.indexOf('Authorization');
    assert.equal(rawHeaders[at + 1], `Bearer ${authorization.issued[0]}`);
    assert.doesNotMatch(rawHeaders.join('\n'), /of-the-client|b2YtdGhlLWNsaWVudA/);
  });
}

test('on an open path nobody’s credentials are sent', async (t) => {
  const { port, received, authorization } = await startProxy(t, {
    fhir: () => (_, response) => response.end('{}'),
  });
  const fields = ['Authorization: Bearer of-the-client', 'Cookie: a=of-the-client'];
  const head = rawHead(['GET /fhir/metadata HTTP/1.1', 'Host: localhost', ...fields]);
  assert.equal((await rawRequest(head, { port })).answers[0]?.status, 200);
  assert.equal(received[0]?.headers.authorization, undefined);
  assert.doesNotMatch(received[0]!.rawHeaders.join('\n'), /of-the-client/);
  assert.equal(authorization.issued.length, 0);
});

for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
  test(`${method} without a token to send is not sent, whatever the client brings`, async (t) => {
    const { port, received, authorization } = await startProxy(t);
    const down = { status: 503, body: 'down' };
    authorization.scriptToken(down, down, down, down);
    const fields = ['Authorization: Bearer of-the-client', 'Content-Length: 0'];
    const lines = [`${method} /fhir/Patient/1 HTTP/1.1`, 'Host: localhost', ...fields];
    const head = rawHead([...lines, 'Connection: close']);
    const { received: text } = await rawRequest(head, { port, untilClosed: true });
    assert.match(text, /^HTTP\/1\.1 503 /);
    assert.equal(received.length, 0);
  });
}
