import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLogReader, parseLogLines } from '../../src/hints/error-log/reader.ts';
import { redactCredentials } from '../../src/hints/error-log/redact.ts';

const APACHE_FPM =
  "[Mon Nov 23 18:27:32.251636 2026] [proxy_fcgi:error] [pid 8670:tid 8670] [client 127.0.0.1:38148] AH01071: Got error '";
const MONOLOG = '[2026-11-23T18:27:32.251183+00:00] OpenEMR.ERROR: ';

function only<T>(list: readonly T[]): T {
  assert.equal(list.length, 1, `expected one entry, got ${list.length}`);
  return list[0] as T;
}

test('reads a Monolog line behind mod_php', () => {
  const entry = only(
    parseLogLines(
      '[Wed Jul 23 20:59:09.363827 2025] [php:notice] [pid 1448273] [client 10.0.0.5:59853] [2025-07-23T16:59:09.363409-04:00] OpenEMR.ERROR: CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client {"client":"abc","exceptionMessage":"Malformed jwks missing keys property"} []',
    ),
  );
  assert.equal(entry.source, 'openemr');
  assert.equal(entry.level, 'error');
  assert.equal(entry.timeMs, Date.UTC(2025, 6, 23, 20, 59, 9, 363));
  assert.equal(
    entry.message,
    'CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client',
  );
  assert.deepEqual(entry.context, {
    client: 'abc',
    exceptionMessage: 'Malformed jwks missing keys property',
  });
});

test('splits the messages that PHP-FPM packs into one Apache line', () => {
  const entries = parseLogLines(
    `${APACHE_FPM}PHP message: PHP Warning:  Undefined array key "grant_type" in /srv/A.php on line 1185; PHP message: ${MONOLOG}A->b() CSRF check failed [] []'\n`,
  );
  assert.deepEqual(
    entries.map(({ source, level, message, line }) => ({ source, level, message, line })),
    [
      {
        source: 'php',
        level: 'warning',
        message: 'PHP Warning:  Undefined array key "grant_type" in /srv/A.php on line 1185',
        line: 1,
      },
      { source: 'openemr', level: 'error', message: 'A->b() CSRF check failed', line: 1 },
    ],
  );
});

test("undoes Apache's doubled backslashes, JSON's escapes and OpenEMR's HTML", () => {
  const entry = only(
    parseLogLines(
      String.raw`${APACHE_FPM}PHP message: ${MONOLOG}OpenEMR\\Services\\X->getAll() exception thrown {"message":"a \\"b\\"\\n- c","exp":"{&quot;date&quot;:&quot;2026&quot;}","who":"O&#039;Brien &amp; &lt;co&gt;","path":"\\/fhir\\/Patient"} []'`,
    ),
  );
  assert.equal(entry.message, String.raw`OpenEMR\Services\X->getAll() exception thrown`);
  assert.deepEqual(entry.context, {
    message: 'a "b"\n- c',
    exp: '{"date":"2026"}',
    who: "O'Brien & <co>",
    path: '/fhir/Patient',
  });
  assert.match(entry.text, /"message":"a "b"\n- c"/);
  assert.match(entry.text, /"path":"\/fhir\/Patient"/);
});

test('reads bytes beyond ASCII that Apache wrote as \\xhh', () => {
  const entry = only(
    parseLogLines(String.raw`${APACHE_FPM}PHP message: ${MONOLOG}caf\xc3\xa9 [] []'`),
  );
  assert.equal(entry.message, 'café');
});

test('a line cut inside its context keeps its text, without a context', () => {
  const entry = only(
    parseLogLines(
      `${APACHE_FPM}PHP message: ${MONOLOG}ScopeRepository->x() request access to invalid scope {"scope":"system/Patient.rs","validationScopes":{"nonce":{"descri...'`,
    ),
  );
  assert.equal(entry.message, 'ScopeRepository->x() request access to invalid scope');
  assert.equal(entry.context, undefined);
  assert.match(entry.text, /"scope":"system\/Patient\.rs"/);
});

test('joins the lines of an entry with real line feeds, as OpenEMR 8.2 writes them', () => {
  const entries = parseLogLines(
    [
      '[23-Nov-2026 18:27:27 UTC] OpenEMR.ERROR: Failed {"exception":"details:',
      '- The token is expired","trace":"#0 a.php(1): b()',
      '#1 {main}"} []',
      '[23-Nov-2026 18:27:28 UTC] PHP Fatal error:  Uncaught Error: no in /srv/a.php:1',
      'Stack trace:',
      '#0 {main}',
      '  thrown in /srv/a.php on line 1',
      'OpenEMR.WARNING: without a time [] []',
    ].join('\n'),
  );
  assert.equal(entries.length, 3);
  assert.deepEqual(entries[0]?.context, {
    exception: 'details:\n- The token is expired',
    trace: '#0 a.php(1): b()\n#1 {main}',
  });
  assert.equal(entries[0]?.timeMs, Date.UTC(2026, 10, 23, 18, 27, 27));
  assert.equal(entries[1]?.level, 'critical');
  assert.match(entries[1]?.message ?? '', /thrown in \/srv\/a\.php on line 1$/);
  assert.equal(entries[2]?.level, 'warning');
  assert.equal(entries[2]?.timeMs, undefined);
});

test('reads lines that docker compose prefixed, and skips the file names of tail', () => {
  const entries = parseLogLines(
    [
      '==> /var/log/apache2/error.log <==',
      `openemr-1  | [Mon Nov 23 18:39:42.314006 2026] [proxy_fcgi:error] [pid 8670:tid 8670] [client 127.0.0.1:39506] AH01079: failed to make connection to backend: 127.0.0.1`,
      '',
      '==> /var/log/apache2/error.log.1 <==',
      `[Mon Nov 23 18:39:42.313963 2026] [proxy:error] [pid 8670:tid 8670] (111)Connection refused: AH00957: FCGI: attempt to connect to 127.0.0.1:9010 (127.0.0.1:9010) failed`,
    ].join('\n'),
  );
  assert.deepEqual(
    entries.map(({ source, message }) => [source, message]),
    [
      ['apache', 'AH01079: failed to make connection to backend: 127.0.0.1'],
      ['apache', 'AH00957: FCGI: attempt to connect to 127.0.0.1:9010 (127.0.0.1:9010) failed'],
    ],
  );
});

test('gives the same entries however the text is cut into chunks', () => {
  const text = [
    `${APACHE_FPM}PHP message: ${MONOLOG}A {"a":"1"} []; PHP message: ${MONOLOG}B [] []', referer: https://x/`,
    'OpenEMR.ERROR: multi {"x":"one',
    'two"} []',
    'PHP Fatal error:  Uncaught Error: no in /srv/a.php:1',
    'Stack trace:',
    '#0 {main}',
    '  thrown in /srv/a.php on line 1',
    '[23-Nov-2026 18:27:28 UTC] PHP Warning:  w in /srv/a.php on line 2',
  ].join('\r\n');
  const whole = parseLogLines(text);
  assert.equal(whole.length, 5);
  for (const size of [1, 2, 3, 7, 64]) {
    const reader = createLogReader();
    const out = [];
    for (let at = 0; at < text.length; at += size)
      out.push(...reader.push(text.slice(at, at + size)));
    out.push(...reader.end());
    assert.deepEqual(out, whole, `chunks of ${size}`);
  }
});

test('a complete line is given at once, an open one when it ends', () => {
  const reader = createLogReader();
  assert.equal(reader.push(`${MONOLOG}closed [] []\n`).length, 1);
  assert.equal(reader.push('PHP Fatal error:  Uncaught Error: no in /srv/a.php:1\n').length, 0);
  assert.equal(reader.push('Stack trace:\n#0 {main}\n').length, 0);
  assert.equal(reader.push('  thrown in /srv/a.php on line 1\n').length, 1);
  assert.equal(reader.push('half a').length, 0);
  assert.equal(only(reader.end()).message, 'half a');
  assert.deepEqual(reader.end(), []);
});

test('keeps little of a huge line, and reads on behind it', () => {
  const reader = createLogReader();
  const chunk = 'x'.repeat(1_000_000);
  for (let i = 0; i < 20; i += 1) assert.deepEqual(reader.push(chunk), []);
  const entries = reader.push(`\n${MONOLOG}after [] []\n`);
  assert.equal(entries.length, 2);
  assert.ok((entries[0]?.text.length ?? Infinity) <= 16_384);
  assert.ok((entries[0]?.raw.length ?? Infinity) <= 16_384);
  assert.equal(entries[1]?.message, 'after');
});

test('anything is read without an error', () => {
  const odd = ['', '\n\n', '\0\x01', '[', '{}', '[] []', `${APACHE_FPM}'`, MONOLOG, '{"a":'];
  for (const text of odd) assert.doesNotThrow(() => parseLogLines(text), JSON.stringify(text));
  assert.deepEqual(parseLogLines('\n \n'), []);
});

test('no credential survives, in text, raw or context', () => {
  const jwt = 'eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJhYmMifQ.c2lnbmF0dXJlLWhlcmU';
  const secret = 'sEcReTvAlUe1234567890';
  const table = [
    `token ${jwt} end`,
    `cut eyJhbGciOiJSUzM4NCIsInR5cCI6 end`,
    `Authorization: Bearer ${secret}`,
    `Basic ${secret}==`,
    `{"client_secret":"${secret}","a":"b"}`,
    `{"client_secret":"${secret}`,
    `client_assertion=${secret}&scope=x`,
    `Cookie: apiOpenEMR=${secret}; b=c`,
    `authserverOpenEMR=${secret};`,
    `{"kty":"RSA","n":"public","d":"${secret}abc_-"}`,
    `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
    `'password' => "${secret}"`,
  ];
  for (const text of table) {
    const out = redactCredentials(text);
    assert.ok(!out.includes(secret), `${text} -> ${out}`);
    assert.ok(!/eyJ/.test(out), `${text} -> ${out}`);
  }
  const entry = only(
    parseLogLines(
      `${MONOLOG}Token parsed {"token":"${jwt}","signature":"${secret}","headers":{"Cookie":"PHPSESSID=${secret}"}} []`,
    ),
  );
  const all = JSON.stringify(entry);
  assert.ok(!all.includes(secret) && !all.includes('eyJ'), all);
});

test('what is no credential is left alone', () => {
  for (const text of [
    'Basic authentication is not accepted',
    'client_id pEAswB5vYkub8KVeeqj7gVMyTH-HKOOpDaRrPWOsJDE',
    'The JWT string must have two dots',
    '{"expectedAudience":"https://localhost:9300/oauth2/default/token"}',
    'scope system/Patient.s not in access token {"section":"system"}',
  ]) {
    assert.equal(redactCredentials(text), text);
  }
});

test('hostile lines cost little', () => {
  const units = [
    ' {"',
    '{"a":[',
    '; PHP message: ',
    ', referer: ',
    'Bearer ',
    '"client_secret":"',
    '-----BEGIN A-----',
    'eyJ',
    'cookie: ',
    '"d" : "',
    '\\\\x',
    '&quot;',
    'password',
    ' ',
  ];
  for (const unit of units) {
    for (const prefix of ['', MONOLOG, `${APACHE_FPM}PHP message: ${MONOLOG}`]) {
      const before = process.cpuUsage();
      parseLogLines(`${prefix}${unit.repeat(Math.ceil(65_536 / unit.length))}`);
      const { user } = process.cpuUsage(before);
      assert.ok(user < 400_000, `${prefix.slice(-20)}${unit}: ${user} µs`);
    }
  }
});
