import assert from 'node:assert/strict';
import { test } from 'node:test';

import { admitted, ask, buildGate, refusal, verdict } from '../support/gate.ts';

const gate = buildGate();

/** Targets below `/fhir` that FHIR clients send, legal or merely usual. */
const LEGAL: readonly (readonly [name: string, target: string])[] = [
  ['the base', ''],
  ['the base with a slash', '/'],
  ['the base with a query', '?_type=Patient'],
  ['a search', '/Patient'],
  ['a search with a final slash', '/Patient/'],
  ['an empty query', '/Patient?'],
  ['a read', '/Patient/a34bc501-d7e4-49e2-9f05-953aa44e5973'],
  ['an id with dots', '/Patient/1.2.840.113619'],
  ['an id that begins with a dot', '/Patient/.hidden'],
  ['an id that begins with two dots', '/Patient/..a'],
  ['an id that ends with dots', '/Patient/a..'],
  ['an id of three dots', '/Patient/...'],
  ['a version', '/Patient/1/_history/2'],
  ['an operation', '/$export'],
  ['an encoded operation', '/%24export'],
  ['an operation of a type', '/Patient/$everything'],
  ['a compartment', '/Patient/1/*'],
  ['an encoded letter', '/%50atient'],
  ['an encoded space', '/Patient/a%20b'],
  ['encoded UTF-8', '/Patient/%C3%A9'],
  ['an encoded percent sign', '/Patient/100%25'],
  ['brackets as a file router writes them', '/[...slug]'],
  ['unescaped punctuation', '/Patient/!$\'()*+,=:@|[]{}^`<>"'],
  ['a colon', '/Patient:exact'],
  ['plus signs', '/Patient/a+b/+'],
  ['dots and slashes, encoded, in a value', '/Patient?name=%2F..%2F'],
  ['dots and slashes in a value', '/Patient?name=/../../x'],
  ['a URL with a pipe in a value', '/Observation?code=http://loinc.org|1234-5'],
  ['an apostrophe', "/Patient?name=O'Brien"],
  ['an encoded apostrophe', '/Patient?name=O%27Brien'],
  ['plus and comma', '/Observation?date=ge2020-01-01T00:00:00+01:00&code=a,b'],
  ['a modifier and a chain', '/Observation?subject:Patient.name:exact=Chen'],
  ['a reverse chain', '/Patient?_has:Observation:patient:code=1234-5'],
  ['brackets in a name', '/Patient?filter[name]=x'],
  ['backslash, quotes and angle brackets in a value', '/Patient?name=a\\,b"<c>'],
  ['an escaped NUL in a value', '/Patient?name=%00'],
  ['an encoded line break in a value', '/Patient?name=a%0D%0Ab'],
  ['double encoding in a value', '/Patient?name=%252e%252e%252f'],
  ['a broken escape in a value', '/Patient?name=100%'],
  ['a second question mark', '/Patient?name=a?b'],
  ['a job', '/$bulkdata-status?job=a34bc960-240c-454d-b830-01d13b2e7557'],
];

for (const [name, target] of LEGAL) {
  test(`target passes byte for byte: ${name}`, () => {
    assert.equal(admitted(ask(gate, 'GET', `/fhir${target}`)).target, target);
  });
}

const REFUSED: readonly (readonly [name: string, url: string])[] = [
  ['absolute-form', 'http://evil.com/fhir/Patient'],
  ['absolute-form of the proxy itself', 'http://localhost:8088/fhir/Patient'],
  ['absolute-form over TLS', 'https://localhost/fhir'],
  ['authority-form', 'localhost:8088'],
  ['asterisk-form', '*'],
  ['an empty target', ''],
  ['no slash', 'fhir/Patient'],
  ['a backslash first', '\\fhir'],
  ['two slashes first', '//evil.com/fhir'],
  ['slash and backslash first', '/\\evil.com/fhir'],
  ['two dots', '/fhir/../admin'],
  ['two dots at the end', '/fhir/Patient/..'],
  ['two dots before a query', '/fhir/..?x=1'],
  ['one dot', '/fhir/./Patient'],
  ['two dots before the route', '/x/../fhir/Patient'],
  ['two dots, encoded', '/fhir/%2e%2e/admin'],
  ['two dots, encoded in capitals', '/fhir/%2E%2E/admin'],
  ['two dots, the first encoded', '/fhir/%2e./admin'],
  ['two dots, the second encoded', '/fhir/.%2e/admin'],
  ['one dot, encoded', '/fhir/%2e/admin'],
  ['two dots, encoded twice', '/fhir/%252e%252e/admin'],
  ['two dots, one of them encoded twice', '/fhir/.%252E/admin'],
  ['two dots, encoded three times', '/fhir/%25252e%25252e/admin'],
  ['an encoded slash after dots', '/fhir/..%2fadmin'],
  ['an encoded slash before dots', '/fhir/x%2f../admin'],
  ['only encoded', '/fhir%2f..%2fadmin'],
  ['an encoded slash', '/fhir/Patient%2F1'],
  ['a slash encoded twice', '/fhir/..%252fadmin'],
  ['a backslash', '/fhir/..\\admin'],
  ['a backslash between slashes', '/fhir/\\../admin'],
  ['an encoded backslash', '/fhir/..%5cadmin'],
  ['an encoded backslash in capitals', '/fhir/..%5Cadmin'],
  ['a backslash encoded twice', '/fhir/..%255cadmin'],
  ['dots with path parameters', '/fhir/..;/admin'],
  ['dots with path parameters and a value', '/fhir/..;a=b/admin'],
  ['dots with encoded path parameters', '/fhir/..%3b/admin'],
  ['dots with an encoded space after them', '/fhir/..%20/admin'],
  ['dots with an encoded space before them', '/fhir/%20../admin'],
  ['path parameters', '/fhir/Patient;v=1/2'],
  ['an encoded semicolon', '/fhir/Patient%3bv=1/2'],
  ['an ampersand, which would begin a parameter', '/fhir/Observation&_REWRITE_COMMAND=x'],
  ['an encoded ampersand', '/fhir/Observation%26_REWRITE_COMMAND=x'],
  ['an encoded question mark', '/fhir/Patient%3f'],
  ['an encoded question mark after dots', '/fhir/..%3fx'],
  ['an encoded number sign', '/fhir/Patient%23'],
  ['dots with a plus sign, a space in a query', '/fhir/..+/admin'],
  ['dots with an encoded plus sign', '/fhir/..%2b/admin'],
  ['an empty segment', '/fhir//Patient'],
  ['an empty segment at the end', '/fhir/Patient//'],
  ['an encoded NUL', '/fhir/Patient/%00'],
  ['an encoded NUL after dots', '/fhir/..%00/admin'],
  ['an encoded line break', '/fhir/Patient%0d%0aX:y'],
  ['an encoded tab', '/fhir/..%09/admin'],
  ['an encoded DEL', '/fhir/%7f'],
  ['a control character', '/fhir/a\u0001b'],
  ['a control character in the query', '/fhir?a=\u0001'],
  ['a space', '/fhir/a b'],
  ['raw characters beyond ASCII', '/fhir/\u00e9'],
  ['a character that narrows to a slash', '/fhir/..\u012fadmin'],
  ['overlong UTF-8 of a dot', '/fhir/%c0%ae%c0%ae/admin'],
  ['overlong UTF-8 of a dot, in three octets', '/fhir/%e0%80%ae%E0%80%AE/admin'],
  ['overlong UTF-8 of a dot, in four octets', '/fhir/%f0%80%80%ae%f0%80%80%ae/admin'],
  ['an escape of IIS', '/fhir/%u002e%u002e/admin'],
  ['a broken escape', '/fhir/%2'],
  ['a broken escape before a query', '/fhir/%2?x'],
  ['a percent sign alone', '/fhir/100%/x'],
  ['a fragment', '/fhir/Patient#x'],
  ['a fragment in the query', '/fhir/Patient?a=b#c'],
  ['a fragment that hides dots', '/fhir/#/../admin'],
];

for (const [name, url] of REFUSED) {
  test(`target refused: ${name}`, () => {
    const error = refusal(ask(gate, 'GET', url));
    assert.equal(error.code, 'target-refused');
    assert.equal(error.status, 400);
    assert.match(error.message, /: /);
  });
}

test('what is refused in a target is refused for every method', () => {
  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    assert.equal(verdict(ask(gate, method, '/fhir/%2e%2e/admin')), 'target-refused', method);
  }
});

test('no refusal repeats an id or a value', () => {
  for (const [, url] of REFUSED) {
    const secret = url.replace('/fhir', '/fhir/secret-id').replace(/\?.*$/, '?name=secret-value');
    for (const target of [url, secret]) {
      const admission = ask(gate, 'GET', target);
      if (admission.kind === 'refused') assert.doesNotMatch(admission.error.message, /secret/);
    }
  }
});

test('an absolute-form target tells how to call the proxy', () => {
  assert.match(refusal(ask(gate, 'GET', 'http://evil.com/')).message, /"http_proxy"/);
});
