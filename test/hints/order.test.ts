/** What decides between several explanations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseInteraction } from '../../src/fhir/interaction.ts';
import { parseLogLines } from '../../src/hints/error-log/reader.ts';
import { parseExchangeFile } from '../../src/hints/exchange-file.ts';
import { explain } from '../../src/hints/match.ts';

const at = '[2026-11-23T18:27:27.046613+00:00] OpenEMR.ERROR: ';
const DISABLED = `${at}Client is not enabled {"client_id":"abc"} []`;
const INVALID_CLIENT = '{"error":"invalid_client","message":"Client authentication failed"}';

const ids = (hints: ReturnType<typeof explain>) =>
  hints.map(({ id, certainty }) => `${id} ${certainty}`);

test('a log line that does not go with the answer is doubted and gives way', () => {
  const scopeRefused =
    '{"error":"invalid_scope","hint":"Check the `system/Zebra.read` scope","message":"x"}';
  const hints = explain({
    stage: 'token',
    status: 400,
    body: scopeRefused,
    logEntries: parseLogLines(DISABLED),
  });
  assert.deepEqual(ids(hints), ['scope-invalid certain']);
});

test('a doubted log line is better than nothing', () => {
  const hints = explain({
    stage: 'token',
    status: 418,
    body: 'teapot',
    logEntries: parseLogLines(DISABLED),
  });
  assert.deepEqual(ids(hints), ['client-disabled likely']);
});

test('a line of another stage is not looked at', () => {
  const hints = explain({
    stage: 'fhir',
    status: 404,
    body: '[]',
    logEntries: parseLogLines(DISABLED),
  });
  assert.deepEqual(ids(hints), ['fhir-bad-id certain']);
});

test('the specific comes before the general, and the general then goes unsaid', () => {
  const log = `${at}ExceptionHandlerListener exception Limit must be greater than or equal to 0 {"trace":"#0 RestControllers"} []`;
  const hints = explain({ logEntries: parseLogLines(log) });
  assert.deepEqual(ids(hints), ['fhir-count-invalid certain']);
});

test('certain hints come first and at most three are given', () => {
  const log = [
    `${at}dispatch.php api call with invalid token [] []`,
    `${at}OpenEMR Error: internal api failed because csrf token not received [] []`,
    `${at}api failed because user role does not have access to the resource [] []`,
    `${at}Organization policy does not have permit access resource [] []`,
  ].join('\n');
  const hints = explain({ stage: 'fhir', logEntries: parseLogLines(log) });
  assert.equal(hints.length, 3);
  assert.ok(hints.every(({ certainty }) => certainty === 'certain'));
});

test('the body is judged behind a PHP notice, and broken JSON does no harm', () => {
  const body = `<br />\n<b>Warning</b>: x in y\n${INVALID_CLIENT}`;
  assert.equal(
    explain({ stage: 'token', status: 401, body, logEntries: [] })[0]?.id,
    'client-refused',
  );
  for (const odd of ['{', '[', 'null', '{"error":1}', '\0', '{"issue":[null]}', '{"issue":"x"}']) {
    assert.doesNotThrow(
      () => explain({ stage: 'token', status: 400, body: odd, logEntries: [] }),
      odd,
    );
  }
});

test('a missing scope names the scope in the spelling of the version', () => {
  const base = {
    stage: 'fhir' as const,
    status: 401,
    interaction: parseInteraction('GET', 'Observation'),
    grantedScopes: ['system/Patient.read'],
    logEntries: [],
  };
  const [old] = explain({ ...base, body: '' });
  assert.equal(old?.id, 'fhir-scope-missing');
  assert.match(old?.fix ?? '', /Add "system\/Observation\.read"/);
  const [modern] = explain({
    ...base,
    body: '{"error":"An error occurred","message":"Unauthorized","code":0}',
  });
  assert.match(
    modern?.fix ?? '',
    /Add "system\/Observation\.s" \("system\/Observation\.read" covers it too\)/,
  );
});

test('the evidence of a log line is short and holds no id, no query and no trace', () => {
  const log = `${at}OpenEMR\\X->dispatch() scope system/Patient.s not in access token {"path":"/apis/default/fhir/Patient/a34bc501-d7e4-49e2-9f05-953aa44e5973?name=Smith&birthdate=1970","trace":"#0 ${'x'.repeat(2000)}"} []`;
  const [hint] = explain({ logEntries: parseLogLines(log) });
  assert.equal(hint?.id, 'fhir-scope-missing');
  assert.ok((hint?.evidence.length ?? 999) < 330);
  assert.doesNotMatch(hint?.evidence ?? '', /Smith|1970|a34bc501|xxx/);
});

test('an exchange file is judged, and says what is wrong with it', () => {
  const evidence = parseExchangeFile(
    JSON.stringify({
      request: {
        method: 'GET',
        url: 'https://x.example/apis/default/fhir/Patient/1?_format=json&_format=xml',
        headers: { authorization: 'Bearer x.y.z' },
      },
      response: { status: 401, headers: { 'Content-Type': 'application/json' }, body: '' },
      error_log_lines: [],
    }),
  );
  assert.equal(evidence.stage, 'fhir');
  assert.equal(evidence.interaction?.label, 'read Patient');
  assert.deepEqual(evidence.parameterNames, ['_format']);
  assert.equal(evidence.fhirBase, 'https://x.example/apis/default/fhir');
  assert.equal(evidence.authorization, 'bearer');
  assert.equal(evidence.contentType, 'application/json');
  assert.equal(parseExchangeFile('{"response":{"status":500,"body":null}}').logFollowed, false);
  for (const [text, message] of [
    ['nonsense', /is not JSON/],
    ['{}', /at "response"/],
    ['{"response":{"status":"x"}}', /at "response\.status"/],
    ['[]', /expected \{"response"/],
  ] as const) {
    assert.throws(() => parseExchangeFile(text), { code: 'exchange-file-invalid', message });
  }
});

/** The first hint when the token endpoint refuses a scope. */
function explainRefusedScope(scope: string, scopesSupported?: string[]) {
  const [hint] = explain({
    stage: 'token',
    status: 400,
    body: JSON.stringify({ error: 'invalid_scope', hint: `Check the \`${scope}\` scope` }),
    ...(scopesSupported === undefined ? {} : { scopesSupported }),
    logEntries: [],
  });
  assert.equal(hint?.id, 'scope-invalid');
  return hint;
}

test('a refused scope that the server does not offer is called so, and the nearest one is named', () => {
  const offered = ['openid', 'system/Patient.read', 'system/Observation.read'];
  const misspelt = explainRefusedScope('system/Observatoin.read', offered);
  assert.match(misspelt.cause, /does not offer.* Did you mean "system\/Observation\.read"\?/);
  assert.doesNotMatch(misspelt.cause + misspelt.fix, /switched off|switch on|spelling/);
  assert.match(misspelt.fix, /Write "system\/Observation\.read" instead/);

  const absent = explainRefusedScope('system/Patient.write', offered);
  assert.match(absent.cause, /the server does not offer it/);
  assert.doesNotMatch(absent.cause, /switched off/);
});

test('a refused scope of no type of FHIR is not called well spelt when nobody knows what is offered', () => {
  const misspelt = explainRefusedScope('system/Observatoin.read');
  assert.match(misspelt.cause, /no resource type of FHIR.* Did you mean "system\/Observation/);
  assert.match(misspelt.fix, /If that is refused too: .*Enable OpenEMR FHIR System Scopes/);
  assert.match(explainRefusedScope('system/Patient.read').cause, /spelling: .*switched off/);
});

test('a path that is almost a resource type is answered with the type that was meant', () => {
  const meant = (path: string, fhirBase?: string) =>
    explain({
      stage: 'fhir',
      status: 404,
      body: '',
      requestMethod: 'GET',
      requestPath: path,
      ...(fhirBase === undefined ? {} : { fhirBase }),
      interaction: parseInteraction('GET', path.replace(/.*\/fhir\//, '')),
      logEntries: [],
    }).find(({ id }) => id === 'fhir-route-unknown');
  const base = 'https://openemr.example/apis/default/fhir/';
  for (const path of ['patient', 'Patien', 'PATIENT/7', 'Pateint?_count=1']) {
    const hint = meant(`/apis/default/fhir/${path}`, base);
    assert.match(hint?.cause ?? '', /did you mean "Patient"\? .*case-sensitive/, path);
    assert.match(hint?.fix ?? '', /"\/Patient"/);
    assert.deepEqual(meant(`/apis/default/fhir/${path}`), hint);
  }
  for (const path of ['Patient/1/_history', 'Zebra', '4711', 'Test']) {
    assert.match(meant(`/apis/default/fhir/${path}`, base)?.cause ?? '', /^No route fits/, path);
  }
});
