import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { loadTranscripts } from '../support/conformance/transcript.ts';
import { startProxy, type Started } from '../support/proxy.ts';

const PAGE = '<!doctype html><html><body>Welcome</body></html>';

function startBehindPages(t: TestContext, page = PAGE, type = 'text/html; charset=utf-8') {
  return startProxy(t, {
    scopes: ['system/Patient.read', 'system/Binary.read'],
    fhir: () => (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': type }).end(page);
    },
  });
}

async function onlyLine(started: Started): Promise<Record<string, unknown>> {
  await started.over(1);
  const lines = started
    .log()
    .split('\n')
    .filter((line) => line.includes('"msg":"exchange"'));
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('a web page with status 200 in the place of FHIR', () => {
  test('passes as it came, and counts as a failure that is explained', async (t) => {
    const started = await startBehindPages(t);
    const response = await started.fetch('/fhir/Patient');
    assert.equal(response.status, 200);
    assert.equal(await response.text(), PAGE);
    const hint = 'html-instead-of-json';
    assert.equal(response.headers.get('link'), `<${started.url}/_proxy/hints/${hint}>; rel="help"`);
    assert.equal(
      response.headers.get('proxy-status'),
      'fhir-auth-proxy; error=http_protocol_error; details="not-fhir"',
    );
    const { level, status, outcome, hint: told } = await onlyLine(started);
    assert.deepEqual([level, status, outcome, told], ['warn', 200, 'not-fhir', hint]);
  });

  test('is recognised as OpenEMR 8’s answer to a request of its own pages', async (t) => {
    const { response } = loadTranscripts('8.0.0').get(417)!;
    const started = await startBehindPages(t, String(response.body));
    await started.fetch('/fhir/Patient', { headers: { accept: 'application/fhir+json' } });
    const { outcome, hint } = await onlyLine(started);
    assert.deepEqual([outcome, hint], ['not-fhir', 'fhir-csrf-header']);
  });

  test('is a failure also when it is too long to be held', async (t) => {
    const started = await startBehindPages(t, `${PAGE}${' '.repeat(200_000)}`);
    const response = await started.fetch('/fhir/Patient');
    assert.equal((await response.text()).length, PAGE.length + 200_000);
    assert.equal((await onlyLine(started))['outcome'], 'not-fhir');
  });

  test('counts in the metrics and is red in the inspector', async (t) => {
    const started = await startBehindPages(t);
    await started.fetch('/fhir/Patient');
    await started.over(1);
    const metrics = await (await started.fetch('/_proxy/metrics')).text();
    assert.match(metrics, /outcomes_total\{[^}]*outcome="not-fhir"[^}]*\} 1/);
  });
});

describe('a web page is a success', () => {
  const CASES: readonly [title: string, path: string, accept: string, type: string][] = [
    ['where one was asked for', '/fhir/Patient', 'text/html,*/*;q=0.8', 'text/html'],
    ['as the content of a Binary', '/fhir/Binary/1', '*/*', 'text/html'],
    ['never: it is FHIR', '/fhir/Patient', '*/*', 'application/fhir+json'],
  ];
  for (const [title, path, accept, type] of CASES) {
    test(title, async (t) => {
      const started = await startBehindPages(t, PAGE, type);
      const response = await started.fetch(path, { headers: { accept } });
      assert.equal(response.headers.get('proxy-status'), null);
      const { level, outcome } = await onlyLine(started);
      assert.deepEqual([level, outcome], ['info', 'forwarded']);
    });
  }
});
