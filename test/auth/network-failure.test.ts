import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseNetworkFailure } from '../../src/auth/network-failure.ts';
import { explain } from '../../src/hints/match.ts';

function failure(code: string, cause?: unknown): Error {
  return Object.assign(new Error('secret detail', { cause }), { code });
}

test('every code has words, a remedy and a kind', () => {
  const cases: [code: string, reason: RegExp, remedy: RegExp, kind: string][] = [
    ['ECONNREFUSED', /nothing listens/, /start the server/, 'transient'],
    ['ENOTFOUND', /host name is not known/, /host name/, 'transient'],
    ['EAI_AGAIN', /host name is not known/, /host name/, 'transient'],
    ['EHOSTUNREACH', /no way to its address/, /network/, 'transient'],
    ['ECONNRESET', /closed before/, /in front of it/, 'transient'],
    ['UND_ERR_SOCKET', /closed before/, /in front of it/, 'transient'],
    ['UND_ERR_CONNECT_TIMEOUT', /no connection/, /firewalls/, 'transient'],
    ['UND_ERR_HEADERS_TIMEOUT', /no answer came in time/, /timeouts\.tokenMs/, 'transient'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not signed by a trusted/, /"tls\.ca"/, 'configuration'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not signed/, /"tls\.ca"/, 'configuration'],
    ['CERT_HAS_EXPIRED', /has expired/, /renew/, 'configuration'],
    ['CERT_NOT_YET_VALID', /not valid yet/, /clocks/, 'configuration'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/, /serverName/, 'configuration'],
    ['EPROTO', /no TLS connection/, /"http:"/, 'configuration'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /no TLS connection/, /"http:"/, 'configuration'],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      /client certificate/,
      /tls\.cert/,
      'configuration',
    ],
    ['EWHATEVER', /failed \(EWHATEVER\)/, /check/, 'transient'],
  ];
  for (const [code, reason, remedy, kind] of cases) {
    const words = parseNetworkFailure(failure(code));
    assert.equal(words.code, code);
    assert.match(words.reason, reason, code);
    assert.match(words.remedy, remedy, code);
    assert.equal(words.kind, kind, code);
    assert.doesNotMatch(words.reason + words.remedy, /secret detail/);
  }
});

test('looks through causes and through the parts of an aggregate', () => {
  const refused = failure('ECONNREFUSED');
  assert.equal(
    parseNetworkFailure(new Error('fetch failed', { cause: refused })).code,
    'ECONNREFUSED',
  );
  assert.equal(
    parseNetworkFailure(new AggregateError([new Error('x'), refused])).code,
    'ECONNREFUSED',
  );
});

test('what has no code, or goes round in circles, still gets words', () => {
  const circle = new Error('round');
  circle.cause = circle;
  for (const odd of [circle, new Error('plain'), 'text', undefined]) {
    assert.deepEqual(parseNetworkFailure(odd), {
      code: undefined,
      reason: 'the request failed',
      remedy: 'check the address and the server',
      kind: 'transient',
    });
  }
});

test('where "tls.ca" is set a certificate that is not trusted is another one than was trusted', () => {
  for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_SIGNATURE_FAILURE']) {
    const error = Object.assign(new Error('tls'), { code });
    const changed = parseNetworkFailure(error, { hasAuthority: true });
    assert.match(changed.reason, /neither in "tls\.ca" .*a new one, or somebody is in between/);
    assert.match(changed.remedy, /^compare its fingerprint/);
    assert.match(parseNetworkFailure(error).remedy, /^name its certificate/);
    const hintOf = (hasAuthority: boolean) =>
      explain({ stage: 'discovery', nodeCode: code, hasAuthority, logEntries: [] })[0];
    assert.match(hintOf(true)?.fix ?? '', /^Compare the SHA-256 fingerprints/);
    assert.doesNotMatch(JSON.stringify(hintOf(true)), /insecure/);
    assert.match(hintOf(false)?.fix ?? '', /^Save the certificate/);
  }
  const refused = Object.assign(new Error('tcp'), { code: 'ECONNREFUSED' });
  assert.deepEqual(
    parseNetworkFailure(refused, { hasAuthority: true }),
    parseNetworkFailure(refused),
  );
});
