import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { buildHintsPage } from '../../scripts/docs/hints-page.ts';
import { CATALOGUE, FAMILIES, findEntry } from '../../src/hints/catalogue/index.ts';
import { renderHintPage } from '../../src/hints/hint-page.ts';
import { describeRecognition } from '../../src/hints/recognition.ts';
import { EXPECTED_HINTS } from '../support/expected-hints.ts';
import { KNOWN_FAILURES } from '../support/failure-ids.ts';
import { FAILURE_SAMPLES } from '../support/failure-samples.ts';

test('every known failure is in the catalogue, and ids are unique', () => {
  assert.equal(KNOWN_FAILURES.length, 84);
  assert.deepEqual(
    KNOWN_FAILURES.filter((id) => findEntry(id) === undefined),
    [],
  );
  assert.equal(new Set(CATALOGUE.map(({ id }) => id)).size, CATALOGUE.length);
});

test('every entry is recognised in at least one recording or sample', () => {
  const covered = new Set([
    ...Object.values(EXPECTED_HINTS).flatMap((version) => Object.keys(version)),
    ...FAILURE_SAMPLES.map(({ id }) => id),
    // The checklist of a 401: in the test of recordings without their log.
    'client-refused',
  ]);
  assert.deepEqual(
    CATALOGUE.map(({ id }) => id).filter((id) => !covered.has(id)),
    [],
  );
});

for (const entry of CATALOGUE) {
  const { id, title, cause, fix, versions, stages } = entry;
  test(`${id} is written as a hint should be`, () => {
    assert.match(id, /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
    assert.ok(title.length <= 80 && !/[.!]$/.test(title), title);
    assert.match(cause, /[.)]$/, 'whole sentences');
    assert.match(fix, /[.)?]$/, 'whole sentences');
    // An imperative, not a description.
    assert.doesNotMatch(fix, /^(?:The|It|You|This|OpenEMR|There) /, fix);
    assert.ok(fix.length >= 20 && versions.length > 0 && stages.length > 0);
    assert.ok(describeRecognition(entry).length > 0, 'recognised by something');
    for (const { codes } of describeRecognition(entry)) {
      for (const code of codes) assert.doesNotMatch(code, /\(\?|\\[swdb]|[\uE000-\uE00F]/, code);
    }
  });

  test(`the patterns of ${id} are quick on hostile text`, () => {
    const patterns = [
      ...(entry.log ?? []),
      ...(entry.answers ?? []).flatMap(({ hint, message, text }) => [hint, message, text]),
    ].filter((pattern) => pattern !== undefined);
    for (const pattern of patterns) {
      assert.ok(!pattern.global && !pattern.sticky, 'a pattern keeps no state');
      for (const unit of [
        'a',
        ' ',
        '{"',
        'details: ',
        'scope ',
        '- The token ',
        'sites/',
        'Key path "file:',
      ]) {
        const hostile = unit.repeat(Math.ceil(16_384 / unit.length));
        // Processor time, which other programs on the machine do not stretch.
        const before = process.cpuUsage();
        pattern.exec(hostile);
        const { user } = process.cpuUsage(before);
        assert.ok(user < 60_000, `${pattern.source} on ${unit}: ${user} µs`);
      }
    }
  });
}

test('docs/hints.md is what the catalogue says; "npm run docs" writes it', () => {
  const page = readFileSync(new URL('../../docs/hints.md', import.meta.url), 'utf8');
  assert.equal(page, buildHintsPage());
});

test('a hint has a page without script and without outside resources', () => {
  for (const { id } of CATALOGUE) {
    const page = renderHintPage(id) ?? assert.fail(id);
    assert.match(page, /^<!doctype html>\n<html lang="en">/);
    assert.match(page, /<title>[^<]+<\/title>/);
    assert.match(page, /prefers-color-scheme: dark/);
    assert.doesNotMatch(page, /<script|<link|<img|<iframe|@import|url\(|\son\w+=/i);
    assert.equal(page.match(/<h1>/g)?.length, 1);
  }
  assert.match(renderHintPage('jwks-missing-keys') ?? '', /Wrap the key: .*&quot;keys&quot;/);
});

test('what the catalogue quotes is escaped, and an unknown id has no page', () => {
  const page = renderHintPage('oauth-path-unknown') ?? '';
  assert.match(page, /&lt;server&gt;\/oauth2\/&lt;site&gt;\/token/);
  for (const id of ['nope', '__proto__', 'constructor', '<script>']) {
    assert.equal(renderHintPage(id), undefined);
  }
});

test('the page of all hints leads to each of them', () => {
  const page = renderHintPage('') ?? assert.fail('no page');
  for (const { id, title } of CATALOGUE) {
    assert.equal(page.split(`<a href="${id}">`).length, 2, id);
    assert.ok(page.includes(`<span class="id">${id}</span>`), title);
  }
  assert.equal(page.match(/<h2>/g)?.length, Object.keys(FAMILIES).length);
  assert.doesNotMatch(page, /<script|undefined|https?:/);
  assert.match(renderHintPage(CATALOGUE[0]!.id) ?? '', /<a href="\.\/">All hints<\/a>/);
});
