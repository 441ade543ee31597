/**
 * The gate's refusals through the whole proxy, in front of a real authorization server and a real
 * FHIR server: no refused request costs a token or reaches the upstream, and what passes lies inside
 * the FHIR base.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolvePath, percentDecode } from '../support/openemr-path.ts';
import { issuesOf, startProxy } from '../support/proxy.ts';
import { createRandom } from '../support/random.ts';
import { rawHead, rawRequest } from '../support/raw-request.ts';

const LOCAL = 'Host: localhost';

const ATTACKS: readonly (readonly [name: string, head: readonly string[], status: number])[] = [
  ['DNS rebinding', ['GET /fhir/Patient HTTP/1.1', 'Host: evil.com'], 403],
  ['two hosts', ['GET /fhir/Patient HTTP/1.1', LOCAL, 'Host: evil.com'], 403],
  ['HTTP/1.0 without a host', ['GET /fhir/Patient HTTP/1.0'], 403],
  ['another origin', ['GET /fhir/Patient HTTP/1.1', LOCAL, 'Origin: https://evil.com'], 403],
  ['origin null', ['POST /fhir/Patient HTTP/1.1', LOCAL, 'Origin: null', 'Content-Length: 0'], 403],
  ['an image', ['GET /fhir/Patient HTTP/1.1', LOCAL, 'Sec-Fetch-Site: cross-site'], 403],
  ['absolute-form', ['GET http://evil.com/fhir/Patient HTTP/1.1', LOCAL], 400],
  ['asterisk-form', ['OPTIONS * HTTP/1.1', LOCAL], 400],
  ['an authority', ['GET //evil.com/fhir/Patient HTTP/1.1', LOCAL], 400],
  ['dots', ['GET /fhir/../api/patient HTTP/1.1', LOCAL], 400],
  ['encoded dots', ['GET /fhir/%2e%2e/api/patient HTTP/1.1', LOCAL], 400],
  ['dots encoded twice', ['GET /fhir/%252e%252e/api/patient HTTP/1.1', LOCAL], 400],
  ['an encoded slash', ['GET /fhir/..%2fapi/patient HTTP/1.1', LOCAL], 400],
  ['a backslash', ['GET /fhir/..\\api\\patient HTTP/1.1', LOCAL], 400],
  ['a fragment', ['GET /fhir/Patient#x HTTP/1.1', LOCAL], 400],
  ['a rewrite in the query', ['GET /fhir/Patient?_REWRITE.COMMAND=x HTTP/1.1', LOCAL], 400],
  ['a rewrite in the path', ['GET /fhir/Patient&_REWRITE_COMMAND=x HTTP/1.1', LOCAL], 400],
  ['an unknown transfer coding', ['GET /fhir HTTP/1.1', LOCAL, 'Transfer-Encoding: xchunked'], 400],
  ['TRACE', ['TRACE /fhir/Patient HTTP/1.1', LOCAL], 405],
  ['PROPFIND', ['PROPFIND /fhir/Patient HTTP/1.1', LOCAL], 405],
  ['another path', ['GET /fhirx/Patient HTTP/1.1', LOCAL], 404],
  ['too long a target', [`GET /fhir/Patient?name=${'x'.repeat(9000)} HTTP/1.1`, LOCAL], 414],
];

test('a refused request gets an OperationOutcome, costs no token and reaches no upstream', async (t) => {
  const { port, received, authorization, watch } = await startProxy(t);
  for (const [name, head, status] of ATTACKS) {
    const { answers, received: text } = await rawRequest(rawHead(head), { port });
    watch.addBody(text);
    assert.equal(answers[0]?.status, status, name);
    assert.equal(answers[0].field('content-type')?.split(';')[0], 'application/fhir+json', name);
    assert.ok(issuesOf(answers[0].body)[0]?.diagnostics, name);
  }
  assert.equal(received.length, 0);
  assert.equal(authorization.issued.length, 0);
});

test('the refusal of a page that may ask can be read by it', async (t) => {
  const { port } = await startProxy(t, { route: { access: { readOnly: true } } });
  const head = rawHead(['PUT /fhir/Patient/1 HTTP/1.1', LOCAL, 'Origin: http://localhost:3000']);
  const { answers } = await rawRequest(head, { port });
  assert.equal(answers[0]?.status, 405);
  assert.equal(answers[0].field('access-control-allow-origin'), 'http://localhost:3000');
  assert.equal(answers[0].field('allow'), 'GET, HEAD, POST, OPTIONS');
});

test('a form and a batch that must not pass are refused, and what may pass is sent as it was', async (t) => {
  const { port, received } = await startProxy(t, { route: { access: { readOnly: true } } });
  const send = async (target: string, type: string, body: string): Promise<number | undefined> => {
    const lines = [`POST ${target} HTTP/1.1`, LOCAL, `Content-Type: ${type}`];
    const head = rawHead([...lines, `Content-Length: ${body.length}`], body);
    return (await rawRequest(head, { port })).answers[0]?.status;
  };
  const form = 'application/x-www-form-urlencoded';
  assert.equal(await send('/fhir/Patient/_search', form, 'name=x&_REWRITE[COMMAND=x'), 400);
  const json = 'application/fhir+json';
  const bundle = (method: string): string =>
    `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"${method}","url":"Patient/1"}}]}`;
  assert.equal(await send('/fhir/', json, bundle('DELETE')), 403);
  assert.equal(received.length, 0);
  assert.equal(await send('/fhir/Patient/_search', form, 'name=x'), 200);
  assert.equal(await send('/fhir/', json, bundle('GET')), 200);
  assert.deepEqual(
    received.map(({ body }) => body),
    ['name=x', bundle('GET')],
  );
});

test('a caller’s API key goes no further than the proxy', async (t) => {
  const apiKey = 'correct-horse-battery';
  const { port, received, watch } = await startProxy(t, { config: { listen: { apiKey } } });
  watch.addSecret(apiKey);
  for (const [field, status] of [
    ['X-API-Key: wrong', 401],
    [`X-API-Key: ${apiKey}`, 200],
    [`Authorization: Bearer ${apiKey}`, 200],
  ] as const) {
    const head = rawHead(['GET /fhir/Patient HTTP/1.1', LOCAL, field]);
    assert.equal((await rawRequest(head, { port })).answers[0]?.status, status);
  }
  assert.equal(received.length, 2);
  for (const { rawHeaders } of received) assert.ok(!rawHeaders.join('\n').includes(apiKey));
});

test('what reaches the upstream lies inside the FHIR base, byte for byte (seed 7)', async (t) => {
  const random = createRandom(7);
  const { port, received, authorization } = await startProxy(t);
  const base = authorization.fhirBase.pathname;
  const pieces =
    '/ . .. %2e %2f \\ %5c ; ? # & %26 %00 %25 %252e Patient 1 $export _search a=b |'.split(' ');
  let expected = 0;
  for (let run = 0; run < 300; run++) {
    let target = '/fhir/';
    for (let count = random.below(6); count > 0; count--) target += random.pick(pieces);
    const head = rawHead([`GET ${target} HTTP/1.1`, LOCAL, 'Connection: close']);
    const { answers } = await rawRequest(head, { port });
    assert.ok([200, 400].includes(answers[0]?.status ?? 0), `${target}: ${answers[0]?.status}`);
    if (answers[0]?.status !== 200) continue;
    expected++;
    const { url = '' } = received.at(-1) ?? {};
    assert.equal(url, base + target.slice('/fhir'.length));
    const path = url.split('?')[0]!;
    assert.ok(`${resolvePath(percentDecode(percentDecode(path)))}/`.startsWith(`${base}/`), url);
  }
  assert.equal(received.length, expected);
  assert.ok(expected > 60, `${expected} passed`);
});
