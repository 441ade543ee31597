import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { errors } from 'undici';

import { buildUpstreamError, isConnectionTerminated } from '../../src/forward/failure.ts';

const coded = (code: string): Error => Object.assign(new Error('secret path /Patient/1'), { code });

describe('a failure of the connection becomes a word of RFC 9209', () => {
  const table: [nodeCode: string, code: string, status: number][] = [
    ['ECONNREFUSED', 'connection_refused', 502],
    ['ENOTFOUND', 'dns_error', 502],
    ['EAI_AGAIN', 'dns_error', 502],
    ['EHOSTUNREACH', 'destination_ip_unroutable', 502],
    ['ENETUNREACH', 'destination_ip_unroutable', 502],
    ['ETIMEDOUT', 'connection_timeout', 504],
    ['UND_ERR_CONNECT_TIMEOUT', 'connection_timeout', 504],
    ['ECONNRESET', 'connection_terminated', 502],
    ['EPIPE', 'connection_terminated', 502],
    ['UND_ERR_SOCKET', 'connection_terminated', 502],
    ['UND_ERR_HEADERS_TIMEOUT', 'http_response_timeout', 504],
    ['UND_ERR_BODY_TIMEOUT', 'connection_read_timeout', 504],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'http_response_incomplete', 502],
    ['UND_ERR_HEADERS_OVERFLOW', 'http_protocol_error', 502],
    ['HPE_UNASKED_INTERIM', 'http_protocol_error', 502],
    ['HPE_INVALID_CONSTANT', 'http_protocol_error', 502],
    ['EPROTO', 'tls_protocol_error', 502],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_protocol_error', 502],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_certificate_error', 502],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_certificate_error', 502],
    ['CERT_HAS_EXPIRED', 'tls_certificate_error', 502],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate_error', 502],
    ['ESOMETHINGNEW', 'proxy_internal_error', 502],
  ];
  for (const [nodeCode, code, status] of table) {
    test(`${nodeCode} is ${code}, ${status}`, () => {
      const error = buildUpstreamError(coded(nodeCode), 'https://emr.example');
      assert.equal(error.code, code);
      assert.equal(error.status, status);
      assert.equal(error.nodeCode, nodeCode);
      assert.match(error.message, /^upstream "https:\/\/emr\.example" /);
      assert.ok(error.message.endsWith(`(${nodeCode})`));
      assert.ok(!error.message.includes('Patient'), 'nothing of the request is told');
    });
  }
});

test('the first of several connection attempts is reported', () => {
  const both = new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')]);
  assert.equal(buildUpstreamError(both, 'o').code, 'connection_refused');
});

test("what lies under undici's socket error is reported", () => {
  const wrapped = Object.assign(new errors.SocketError('other side closed'), {
    cause: coded('ECONNRESET'),
  });
  assert.equal(buildUpstreamError(wrapped, 'o').nodeCode, 'ECONNRESET');
});

test('what has no code is an internal error, and the cause is kept', () => {
  const cause = new TypeError('boom');
  const error = buildUpstreamError(cause, 'o');
  assert.equal(error.code, 'proxy_internal_error');
  assert.equal(error.cause, cause);
  assert.equal(buildUpstreamError('a string', 'o').code, 'proxy_internal_error');
});

test('only a closed connection may be met by a second attempt', () => {
  assert.equal(isConnectionTerminated(coded('ECONNRESET')), true);
  assert.equal(isConnectionTerminated(coded('UND_ERR_SOCKET')), true);
  assert.equal(isConnectionTerminated(coded('ECONNREFUSED')), false);
  assert.equal(isConnectionTerminated(coded('UND_ERR_HEADERS_TIMEOUT')), false);
});
