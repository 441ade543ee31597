import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ProxyError } from '../../src/base/errors.ts';
import type { BodyJudge } from '../../src/gate/gate.ts';
import { admitted, ask, buildGate, refusal, type GateSetup } from '../support/gate.ts';

const FORM = 'application/x-www-form-urlencoded';

function judgeOf(
  path: string,
  contentType: string | undefined,
  access: GateSetup['access'] = {},
  method = 'POST',
): BodyJudge | undefined {
  const fields = contentType === undefined ? [] : ['Content-Type', contentType];
  return admitted(ask(buildGate({ access }), method, `/fhir${path}`, fields)).judgeBody;
}

function judge(judge: BodyJudge | undefined, body: string | object): ProxyError | undefined {
  assert.ok(judge, 'the body is judged');
  return judge.judge(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

for (const type of [
  FORM,
  'Application/X-WWW-Form-Urlencoded; charset=UTF-8',
  `${FORM},application/json`,
  ` ${FORM} x`,
]) {
  test(`a body is searched when it is sent as "${type}"`, () => {
    // PHP reads no form body of a GET; what stands between may make another method of it.
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'HEAD']) {
      assert.ok(judgeOf('/Patient/_search', type, {}, method), method);
    }
  });
}

for (const [name, method, path, type] of [
  ['JSON', 'POST', '/Patient', 'application/fhir+json'],
  ['no media type', 'POST', '/Patient', undefined],
  ['XML', 'PUT', '/Patient/1', 'application/fhir+xml'],
  ['a batch to a route without rules', 'POST', '/', 'application/fhir+json'],
] as const) {
  test(`a body streams through unread: ${name}`, () => {
    assert.equal(judgeOf(path, type, {}, method), undefined);
  });
}

const FORMS: readonly (readonly [name: string, body: string, code?: string])[] = [
  ['a search', 'name=Chen&_count=5'],
  ['nothing', ''],
  ['the parameter as it is', '_REWRITE_COMMAND=default/fhir/Patient', 'parameter-refused'],
  ['the parameter after others', 'name=Chen&_REWRITE.COMMAND=x', 'parameter-refused'],
  ['the parameter encoded', 'name=Chen&%5FREWRITE%5FCOMMAND=x', 'parameter-refused'],
  ['the parameter as an array', '_REWRITE_COMMAND[]=x', 'parameter-refused'],
  [
    'the parameter after bytes that are no UTF-8',
    'a=\u00ff\u00fe&_REWRITE_COMMAND=x',
    'parameter-refused',
  ],
  ['a value of that name', 'name=_REWRITE_COMMAND'],
  ['a method parameter, on a route that writes anyway', '_method=DELETE'],
];

for (const [name, body, code] of FORMS) {
  test(`form body: ${name}: ${code ?? 'passes'}`, () => {
    const error = judge(judgeOf('/Patient/_search', FORM), body);
    assert.equal(error?.code, code);
    assert.doesNotMatch(error?.message ?? '', /default/);
  });
}

test('a form body beyond a mebibyte is refused, not let through', () => {
  const formJudge = judgeOf('/Patient/_search', FORM);
  assert.equal(formJudge?.maxBytes, 1_048_576);
  assert.equal(formJudge.tooLarge().code, 'body-too-large');
  assert.equal(formJudge.tooLarge().status, 413);
});

test('the search finds the parameter at the end of the longest body', () => {
  const formJudge = judgeOf('/Patient/_search', FORM);
  const tail = '&_REWRITE_COMMAND=x';
  const body = `name=${'x'.repeat(1_048_576 - tail.length - 5)}${tail}`;
  assert.equal(judge(formJudge, body)?.code, 'parameter-refused');
});

test('a compressed form body is refused, since it cannot be searched', () => {
  const gate = buildGate();
  for (const coding of ['gzip', 'identity, gzip', 'br']) {
    const fields = ['Content-Type', FORM, 'Content-Encoding', coding];
    const error = refusal(ask(gate, 'POST', '/fhir/Patient/_search', fields));
    assert.equal(error.code, 'body-refused');
    assert.equal(error.status, 415);
  }
  const plain = ['Content-Type', FORM, 'Content-Encoding', 'identity'];
  assert.ok(admitted(ask(gate, 'POST', '/fhir/Patient/_search', plain)).judgeBody);
});

const MULTIPART = 'multipart/form-data; boundary=b';
const part = (disposition: string): string =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nvalue\r\n--b--\r\n`;

for (const type of [
  MULTIPART,
  'Multipart/Form-Data;boundary="x"',
  'multipart/mixed',
  ' MULTIPART/x',
]) {
  test(`a body of type "${type}" is refused unless the route asks for it`, () => {
    const error = refusal(ask(buildGate(), 'POST', '/fhir/Patient', ['Content-Type', type]));
    assert.equal(error.code, 'multipart-refused');
    assert.equal(error.status, 415);
    assert.match(error.message, /"access\.multipart"/);
  });
}

const multipart = { multipart: true };

for (const type of [
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=b; boundary=c',
  'multipart/form-data; boundary=b; charset=utf-7',
  'multipart/form-data; boundary="a b"',
  `multipart/form-data; boundary=${'b'.repeat(71)}`,
  'multipart/mixed; boundary=b',
  'application/json, multipart/form-data; boundary=b',
  "multipart/form-data; boundary*=utf-8''b",
]) {
  test(`a route that asks for multipart refuses the odd content type "${type}"`, () => {
    const gate = buildGate({ access: multipart });
    const error = refusal(ask(gate, 'POST', '/fhir/Patient', ['Content-Type', type]));
    assert.equal(error.code, 'multipart-refused');
  });
}

const PARTS: readonly (readonly [name: string, body: string, passes?: true])[] = [
  ['another name', part('name="name"'), true],
  ['a file', part('name="file"; filename="a b.pdf"'), true],
  ['no parts but the end', '--b--', true],
  ['the parameter', part('name="_REWRITE_COMMAND"')],
  ['the parameter with a dot', part('name="_REWRITE.COMMAND"')],
  ['the parameter with spaces', part('name=" _REWRITE COMMAND"')],
  ['the parameter with a bracket', part('name="_REWRITE[COMMAND"')],
  ['the parameter as an array', part('name="_REWRITE_COMMAND[a]"')],
  ['an unquoted name', part('name=_REWRITE_COMMAND')],
  ['single quotes', part("name='_REWRITE.COMMAND'")],
  ['an escaped quote', part(String.raw`name="a\"; name="_REWRITE_COMMAND"`)],
  ['a folded header', part('name="_REWRITE\r\n COMMAND"')],
  ['a name cut by a line break', part('name="_REWRI\r\nTE_COMMAND"')],
  ['a name cut by a bare line feed', part('name="_REWRITE_COM\nMAND"')],
  ['a name cut by a bare carriage return', part('name="_REWRITE_COM\rMAND"')],
  ['a name with NUL', part('name="_REWRITE_COMMAND\0"')],
  ['two names', part('name="a"; name="_REWRITE_COMMAND"')],
  ['an encoded name', part("name*=utf-8''_REWRITE_COMMAND")],
  ['two dispositions', part('name="a"\r\nContent-Disposition: form-data; name="b"')],
  ['another header', part('name="a"\r\nX-A: b')],
  ['a transfer encoding', part('name="a"\r\nContent-Transfer-Encoding: base64')],
  ['a blank before the colon', '--b\r\nContent-Disposition : form-data; name="a"\r\n\r\n\r\n--b--'],
  ['text before the first boundary', `x\r\n${part('name="a"')}`],
  ['no end', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv'],
  ['text after the end', `${part('name="a"')}--b\r\n`],
  ['bare line feeds', '--b\nContent-Disposition: form-data; name="a"\n\nv\n--b--\n'],
  ['a boundary that is longer', part('name="a"').replace('\r\n--b--', '\r\n--bc\r\n\r\n\r\n--b--')],
];

for (const [name, body, passes] of PARTS) {
  test(`a route that asks for multipart ${passes ? 'takes' : 'refuses'} ${name}`, () => {
    const error = judge(judgeOf('/Patient', MULTIPART, multipart), body);
    assert.equal(error?.code, passes ? undefined : 'multipart-refused');
  });
}

test('a read-only route refuses a method parameter in a form body', () => {
  const access = { readOnly: true };
  const form = judgeOf('/Patient/_search', FORM, access);
  assert.equal(judge(form, '_method=DELETE')?.code, 'parameter-refused');
  assert.match(judge(form, '.method=PUT')?.message ?? '', /replaces the method/);
  const parts = judgeOf('/Patient/_search', MULTIPART, { ...access, multipart: true });
  assert.equal(judge(parts, part('name="_method"'))?.code, 'multipart-refused');
});

const entry = (method: unknown, url: unknown): object => ({ request: { method, url } });
const batch = (...entries: unknown[]): object => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: entries,
});

const LISTED: readonly (readonly [
  what: string,
  access: NonNullable<GateSetup['access']>,
  method: string,
  url: string,
])[] = [
  ['an encoded letter', { deny: ['$export'] }, 'GET', 'Patient/$%65xport'],
  ['an encoded dollar', { deny: ['$export'] }, 'GET', 'Patient/%24export'],
  ['another letter case', { deny: ['$export'] }, 'GET', '$EXPORT'],
  ['a type in another letter case', { deny: ['Patient'] }, 'GET', 'PATIENT/1'],
  ['an encoded type', { deny: ['Patient'] }, 'GET', '%50atient/1'],
  ['an operation deep below', { deny: ['$x'] }, 'GET', 'Group/1/a/b/c/$x'],
  ['two operations', { deny: ['$x'] }, 'GET', 'Patient/$everything/$x'],
  ['an operation that is not allowed', { allow: ['Patient'] }, 'GET', 'Patient/$x.y_2'],
  ['an operation whose name is none', { allow: ['Patient'] }, 'GET', 'Patient/$1'],
  ['an operation whose name is none, denying another', { deny: ['$export'] }, 'GET', '$%C3%A9'],
  ['a path deeper than a compartment', { deny: ['Condition'] }, 'GET', 'Patient/1/Observation/2'],
  ['a type that is none', { allow: ['Patient'] }, 'GET', 'patient/1'],
];

for (const [what, access, method, url] of LISTED) {
  test(`lists refuse ${what}, called directly and in a Bundle`, () => {
    assert.equal(
      refusal(ask(buildGate({ access }), method, `/fhir/${url}`)).code,
      'interaction-refused',
    );
    const inBundle = judge(judgeOf('/', 'application/json', access), batch(entry(method, url)));
    assert.equal(inBundle?.code, 'interaction-refused');
  });
}

const BUNDLES: readonly (readonly [name: string, body: string | object, code?: string])[] = [
  ['reads only', batch(entry('GET', 'Patient/1'), entry('HEAD', 'Observation?code=a|b'))],
  ['no entries', batch()],
  ['no entry member', { resourceType: 'Bundle', type: 'transaction' }],
  ['a URL as a value', batch(entry('GET', 'Observation?code=http://loinc.org|1234-5'))],
  ['a search by POST', batch(entry('POST', 'Patient/_search'))],
  ['a write', batch(entry('GET', 'Patient/1'), entry('DELETE', 'Patient/1')), 'read-only'],
  ['a create', batch(entry('POST', 'Patient')), 'read-only'],
  [
    'an update in a transaction',
    { ...batch(entry('PUT', 'Patient/1')), type: 'transaction' },
    'read-only',
  ],
  ['a method in lower case', batch(entry('delete', 'Patient/1')), 'method-refused'],
  ['an unknown method', batch(entry('PURGE', 'Patient/1')), 'method-refused'],
  ['no method', batch(entry(undefined, 'Patient/1')), 'bundle-refused'],
  ['a method that is no string', batch(entry(['GET'], 'Patient/1')), 'bundle-refused'],
  ['no request', batch({ resource: { resourceType: 'Patient' } }), 'bundle-refused'],
  ['an entry that is null', batch(null), 'bundle-refused'],
  [
    'entries that are no array',
    { ...batch(), entry: { 0: entry('DELETE', 'Patient/1') } },
    'bundle-refused',
  ],
  ['an absolute URL', batch(entry('GET', 'https://other.example/Patient/1')), 'bundle-refused'],
  ['dots in a URL', batch(entry('GET', '../../api/patient')), 'bundle-refused'],
  ['a path with a slash in front, as HL7 writes it', batch(entry('GET', '/Patient/1'))],
  ['two slashes in front', batch(entry('GET', '//evil.example/Patient')), 'bundle-refused'],
  ['an operation in disguise', batch(entry('POST', 'Patient/%24merge')), 'read-only'],
  ['a write to DocumentReference', batch(entry('POST', 'DocumentReference/$docref')), 'read-only'],
  [
    'a parameter in a URL that replaces the path',
    batch(entry('GET', 'Patient?_REWRITE%5BCOMMAND=x')),
    'bundle-refused',
  ],
  [
    'a parameter in a URL that replaces the method',
    batch(entry('POST', 'Patient/_search?_method=DELETE')),
    'bundle-refused',
  ],
  ['a batch in a batch', batch(entry('POST', '')), 'bundle-refused'],
  [
    'a Bundle to be stored',
    { ...batch(entry('GET', 'Patient/1')), type: 'document' },
    'bundle-refused',
  ],
  ['no type', { resourceType: 'Bundle', entry: [] }, 'bundle-refused'],
  ['another resource', { resourceType: 'Patient' }, 'bundle-refused'],
  ['an array', [batch()], 'bundle-refused'],
  ['null', 'null', 'bundle-refused'],
  ['nothing', '', 'bundle-refused'],
  ['XML', '<Bundle xmlns="http://hl7.org/fhir"/>', 'bundle-refused'],
  ['a byte order mark', `\ufeff${JSON.stringify(batch())}`, 'bundle-refused'],
  [
    'two methods in one request',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","method":"GET","url":"Patient/1"}}]}',
    'bundle-refused',
  ],
  [
    'two methods, one of them escaped',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"m\\u0065thod":"DELETE","method":"GET","url":"Patient/1"}}]}',
    'bundle-refused',
  ],
  [
    'two lists of entries',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","url":"Patient/1"}}],"entry":[]}',
    'bundle-refused',
  ],
  [
    'names that repeat in different objects, and in strings',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?a=\\"method\\",{"}},{"request":{"url":"Patient/2","method":"GET"}}]}',
  ],
];

for (const [name, body, code] of BUNDLES) {
  test(`Bundle to a read-only route: ${name}: ${code ?? 'passes'}`, () => {
    for (const path of ['', '/']) {
      const error = judge(judgeOf(path, 'application/fhir+json', { readOnly: true }), body);
      assert.equal(error?.code, code, error?.message);
      if (error !== undefined) assert.equal(error.status, 403);
    }
  });
}

test('the refusal of a batch names the entry and no id', () => {
  const bundle = batch(entry('GET', 'Patient/1'), entry('DELETE', 'Patient/secret-id'));
  const error = judge(judgeOf('/', 'application/json', { readOnly: true }), bundle);
  assert.equal(
    error?.message,
    '"entry[1]" of the Bundle: this route is read-only and DELETE "delete Patient" may change data: set "access.readOnly" to false to let it through',
  );
});

test('lists and methods of a route hold for the entries of a batch', () => {
  const lists = judgeOf('/', 'application/json', { allow: ['Patient'] });
  assert.equal(judge(lists, batch(entry('PUT', 'Patient/1'))), undefined);
  assert.equal(judge(lists, batch(entry('GET', 'Encounter/1')))?.code, 'interaction-refused');
  assert.equal(judge(lists, batch(entry('GET', '%45ncounter/1')))?.code, 'interaction-refused');
  const methods = judgeOf('/', 'application/json', { methods: ['GET', 'POST'] });
  assert.equal(judge(methods, batch(entry('POST', 'Patient'))), undefined);
  assert.equal(judge(methods, batch(entry('DELETE', 'Patient/1')))?.code, 'method-refused');
});

test('a Bundle sent as a form is judged as a Bundle', () => {
  const bundleJudge = judgeOf('/', FORM, { readOnly: true });
  assert.equal(judge(bundleJudge, 'a=b')?.code, 'bundle-refused');
});

test('a Bundle beyond a mebibyte is refused, not let through', () => {
  const bundleJudge = judgeOf('/', 'application/json', { readOnly: true });
  assert.equal(bundleJudge?.maxBytes, 1_048_576);
  assert.equal(bundleJudge.tooLarge().code, 'body-too-large');
});

test('a Bundle of the greatest length is judged at once, however it is built', () => {
  const bundleJudge = judgeOf('/', 'application/json', { readOnly: true });
  const half = 500_000;
  for (const body of [
    `${'['.repeat(half)}${']'.repeat(half)}`,
    `${'{"a":'.repeat(half / 5)}1${'}'.repeat(half / 5)}`,
    `"${'\\u0041'.repeat(half / 6)}"`,
    JSON.stringify(batch(...Array.from({ length: 15_000 }, () => entry('GET', 'Patient/1')))),
  ]) {
    const start = performance.now();
    judge(bundleJudge, body);
    assert.ok(performance.now() - start < 2000, body.slice(0, 20));
  }
});
