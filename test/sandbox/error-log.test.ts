import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { createErrorLog, type RequestLog } from '../../src/sandbox/error-log.ts';

const AT = Date.parse('2026-11-23T18:27:27.046Z');

function write(
  t: TestContext,
  fill: (log: RequestLog) => void,
  options: { debug?: boolean; referer?: string } = {},
): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-error-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'error.log');
  const log = createErrorLog({
    path,
    clock: { now: () => AT },
    debug: () => options.debug === true,
  }).open('127.0.0.1:47860', options.referer);
  fill(log);
  log.flush();
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

const only = (lines: string[]): string => {
  assert.equal(lines.length, 1);
  return lines[0] ?? '';
};

test('a message stands in the line that Apache writes for PHP-FPM', (t) => {
  const line = only(write(t, (log) => log.error('Something failed', { client: 'c-1' })));
  assert.match(
    line,
    /^\[Mon Nov 23 18:27:27\.046\d{3} 2026\] \[proxy_fcgi:error\] \[pid (\d+):tid \1\] \[client 127\.0\.0\.1:47860\] AH01071: Got error 'PHP message: \[2026-11-23T18:27:27\.046\d{3}\+00:00\] OpenEMR\.ERROR: Something failed \{"client":"c-1"\} \[\]'$/,
  );
});

test('messages of one request share a line, in order', (t) => {
  const line = only(
    write(t, (log) => {
      log.php('PHP Warning:  one');
      log.emergency('two');
      log.error('three', []);
    }),
  );
  assert.match(
    line,
    /Got error 'PHP message: PHP Warning: {2}one; PHP message: \[.*\] OpenEMR\.EMERGENCY: two \[\] \[\]; PHP message: \[.*\] OpenEMR\.ERROR: three \[\] \[\]'$/,
  );
});

test('nothing is written for a request without messages', (t) => {
  assert.deepEqual(
    write(t, () => undefined),
    [],
  );
});

const CONTEXTS: readonly [string, Record<string, unknown>, string][] = [
  ['quotes and angle brackets', { a: `<"'&>` }, '{"a":"&lt;&quot;&#039;&amp;&gt;"}'],
  [
    'a date',
    { exp: new Date(AT) },
    '{"exp":"{&quot;date&quot;:&quot;2026-11-23 18:27:27.046000&quot;,&quot;timezone_type&quot;:1,&quot;timezone&quot;:&quot;+00:00&quot;}"}',
  ],
  ['null', { a: null }, '{"a":""}'],
  ['numbers, lists, an empty object', { a: 1, b: ['x'], c: {} }, '{"a":1,"b":["x"],"c":[]}'],
  ['a slash', { a: 'system/Patient.read' }, '{"a":"system/Patient.read"}'],
  ['a newline, whose backslash Apache doubles', { a: 'x\ny' }, '{"a":"x\\\\ny"}'],
];

for (const [name, context, expected] of CONTEXTS) {
  test(`context with ${name}`, (t) => {
    const line = only(write(t, (log) => log.error('m', context)));
    assert.ok(line.endsWith(`OpenEMR.ERROR: m ${expected} []'`), line);
  });
}

test('Apache escapes control characters, backslashes and bytes beyond ASCII, and leaves quotes', (t) => {
  const line = only(write(t, (log) => log.php(`a\nb\tc\\d "e" 'f' \u0007 é`)));
  assert.ok(line.endsWith(String.raw`'PHP message: a\nb\tc\\d "e" 'f' \x07 \xe9'`), line);
});

test('PHP-FPM cuts a message of more than 1,012 bytes', (t) => {
  const whole = only(write(t, (log) => log.php('x'.repeat(999))));
  assert.match(whole, /'PHP message: x{999}'$/);
  const cut = only(write(t, (log) => log.php('x'.repeat(1000))));
  assert.match(cut, /'PHP message: x{999}\.\.\.'$/);
});

test('more messages than fit Apache’s line go on in another', (t) => {
  const lines = write(t, (log) => {
    for (let i = 0; i < 20; i += 1) log.php('y'.repeat(900));
  });
  assert.equal(lines.length, 3);
  for (const line of lines) assert.ok(line.length < 8192);
});

test('debug messages are written when System Error Logging asks for them', (t) => {
  assert.deepEqual(
    write(t, (log) => log.debug('d')),
    [],
  );
  assert.match(
    only(write(t, (log) => log.debug('d'), { debug: true })),
    /OpenEMR\.DEBUG: d \[\] \[\]/,
  );
});

test('Apache appends the Referer field', (t) => {
  const line = only(write(t, (log) => log.error('m'), { referer: 'http://localhost/a' }));
  assert.match(line, /\[\] \[\]', referer: http:\/\/localhost\/a$/);
});
