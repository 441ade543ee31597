import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasPhpParameter } from '../../src/gate/php-name.ts';
import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

/** Names that PHP turns into `_REWRITE_COMMAND`, or into an array of that name. */
const REWRITES: readonly (readonly [name: string, query: string])[] = [
  ['as it is', '_REWRITE_COMMAND=default/fhir/Patient'],
  ['without a value', '_REWRITE_COMMAND'],
  ['after another', 'a=b&_REWRITE_COMMAND=x'],
  ['after empty ones', '&&_REWRITE_COMMAND=x'],
  ['a dot', '_REWRITE.COMMAND=x'],
  ['dots for both', '.REWRITE.COMMAND=x'],
  ['a plus sign', '_REWRITE+COMMAND=x'],
  ['an encoded space', '_REWRITE%20COMMAND=x'],
  ['a bracket', '_REWRITE[COMMAND=x'],
  ['an encoded bracket', '_REWRITE%5BCOMMAND=x'],
  ['an encoded dot', '_REWRITE%2eCOMMAND=x'],
  ['encoded underscores', '%5FREWRITE%5fCOMMAND=x'],
  ['an encoded letter', '_REWRIT%45_COMMAND=x'],
  ['all encoded', '%5f%52%45%57%52%49%54%45%5f%43%4f%4d%4d%41%4e%44=x'],
  ['an encoded plus sign is no space, but encoded twice it may be', '_REWRITE%2520COMMAND=x'],
  ['encoded twice', '%255FREWRITE_COMMAND=x'],
  ['a leading space', '+_REWRITE_COMMAND=x'],
  ['leading spaces, encoded and not', '+%20+_REWRITE_COMMAND=x'],
  ['a NUL and more after it', '_REWRITE_COMMAND%00junk=x'],
  ['as an array', '_REWRITE_COMMAND[]=x'],
  ['as an array with a key', '_REWRITE_COMMAND[0]=x'],
  ['as an array, encoded', '_REWRITE_COMMAND%5B%5D=x'],
  ['with an unclosed bracket after it', '_REWRITE_COMMAND[x=x'],
  ['a semicolon before it, which PHP can be told to split at', 'a=b;_REWRITE_COMMAND=x'],
];

for (const [name, query] of REWRITES) {
  test(`_REWRITE_COMMAND refused in a query: ${name}`, () => {
    for (const [method, path] of [
      ['GET', '/fhir/Observation'],
      ['POST', '/fhir/Patient/_search'],
      ['DELETE', '/fhir'],
    ] as const) {
      const error = refusal(ask(buildGate(), method, `${path}?${query}`));
      assert.equal(error.code, 'parameter-refused');
      assert.equal(error.status, 400);
    }
  });
}

const HARMLESS: readonly (readonly [name: string, query: string])[] = [
  ['lower case: PHP tells them apart', '_rewrite_command=x'],
  ['as a value', 'a=_REWRITE_COMMAND'],
  ['as a value after an encoded ampersand', 'a=b%26_REWRITE_COMMAND=x'],
  ['as the end of a name', 'X_REWRITE_COMMAND=x'],
  ['with a hyphen', '_REWRITE-COMMAND=x'],
  ['an encoded plus sign', '_REWRITE%2BCOMMAND=x'],
  ['a tab before it, which PHP keeps', '%09_REWRITE_COMMAND=x'],
  ['in brackets of its own', 'a[_REWRITE_COMMAND]=x'],
  ['FHIR’s own names', '_id=1&_count=2&_include=a&_revinclude=b&_has:R:x:y=z&_REVINCLUDE=x'],
  ['a name cut short', '_REWRITE=x&_REWRITE_COMMAN=x'],
  ['a broken escape', '_REWRITE%5COMMAND=x&%=y&%5=z'],
];

for (const [name, query] of HARMLESS) {
  test(`no _REWRITE_COMMAND in a query: ${name}`, () => {
    assert.equal(verdict(ask(buildGate(), 'GET', `/fhir/Patient?${query}`)), 'route');
  });
}

test('the refusal says what the parameter would do, and no value', () => {
  assert.equal(
    refusal(ask(buildGate(), 'GET', '/fhir/Patient?_REWRITE.COMMAND=secret')).message,
    'the query has a parameter that the server may read as "_REWRITE_COMMAND", which replaces the path: leave it out',
  );
});

test('the proxy’s own paths may have any parameter', () => {
  assert.equal(verdict(ask(buildGate(), 'GET', '/_proxy/?_REWRITE_COMMAND=x')), 'reserved');
});

test('a read-only route refuses a method parameter with POST', () => {
  const gate = buildGate({ access: { readOnly: true } });
  const search = '/fhir/Patient/_search';
  assert.equal(verdict(ask(gate, 'POST', `${search}?_method=DELETE`)), 'parameter-refused');
  assert.equal(verdict(ask(gate, 'POST', `${search}?%5Fmethod=DELETE`)), 'parameter-refused');
  assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient?_method=DELETE')), 'route');
  assert.equal(verdict(ask(buildGate(), 'POST', `${search}?_method=DELETE`)), 'route');
});

test('reading a query takes time in proportion to its length', () => {
  // The least of several runs: what other programs take from the processor is not the point.
  const measure = (text: string): number => {
    const runs = Array.from({ length: 7 }, () => {
      const start = performance.now();
      for (let i = 0; i < 5; i++) hasPhpParameter(text, '_REWRITE_COMMAND');
      return performance.now() - start;
    });
    return Math.min(...runs);
  };
  for (const unit of ['_R%&', '%5F', '&', ';', '_REWRITE%5', '+', '%25']) {
    const short = unit.repeat(Math.ceil(1_000 / unit.length));
    measure(short);
    const factor = measure(short.repeat(16)) / Math.max(measure(short), 0.05);
    assert.ok(factor < 100, `${unit}: 16 times the length took ${factor.toFixed(0)} times as long`);
  }
});
