import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import type { HttpAnswer } from '../../src/auth/http-answer.ts';
import { processTokenResponse, type TokenResponse } from '../../src/auth/token-response.ts';
import { TokenError } from '../../src/base/errors.ts';

const URL_ = 'https://h.example/oauth2/default/token';
const REQUESTED = ['system/Patient.read', 'system/Group.read'];
const GOOD = {
  scope: 'system/Patient.read',
  token_type: 'Bearer',
  expires_in: 300,
  access_token: 'a-token',
};

function answer(body: string | object, members: Partial<HttpAnswer> = {}): HttpAnswer {
  return {
    status: 200,
    contentType: 'application/json; charset=UTF-8',
    location: undefined,
    retryAfterSeconds: undefined,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    truncated: false,
    clockDifferenceMs: 0,
    ...members,
  };
}

function accept(given: HttpAnswer): TokenResponse {
  return processTokenResponse(given, { url: URL_, requestedScopes: REQUESTED });
}

function refuse(given: HttpAnswer): TokenError {
  try {
    accept(given);
  } catch (error) {
    assert.ok(error instanceof TokenError, String(error));
    assert.ok(error.message.startsWith(`the token endpoint "${URL_}" `), error.message);
    assert.doesNotMatch(error.message, /\.$|\n/);
    assert.equal(error.status, 503);
    return error;
  }
  assert.fail('expected a TokenError');
}

test('takes the token, its life and its scopes', () => {
  assert.deepEqual(accept(answer(GOOD)), {
    accessToken: 'a-token',
    expiresInSeconds: 300,
    lifeAssumed: false,
    grantedScopes: ['system/Patient.read'],
  });
});

test('reads what servers write in other ways', async (t) => {
  const cases: [name: string, body: string | object, expected: Partial<TokenResponse>][] = [
    [
      'expires_in as a string',
      { ...GOOD, expires_in: '299' },
      { expiresInSeconds: 299, lifeAssumed: false },
    ],
    ['expires_in with a fraction', { ...GOOD, expires_in: 299.5 }, { expiresInSeconds: 299.5 }],
    [
      'no expires_in',
      { ...GOOD, expires_in: undefined },
      { expiresInSeconds: 60, lifeAssumed: true },
    ],
    ['expires_in 0', { ...GOOD, expires_in: 0 }, { expiresInSeconds: 60, lifeAssumed: true }],
    [
      'expires_in below 0',
      { ...GOOD, expires_in: -5 },
      { expiresInSeconds: 60, lifeAssumed: true },
    ],
    [
      'expires_in as words',
      { ...GOOD, expires_in: 'an hour' },
      { expiresInSeconds: 60, lifeAssumed: true },
    ],
    ['expires_in null', { ...GOOD, expires_in: null }, { expiresInSeconds: 60, lifeAssumed: true }],
    ['token_type in lower case', { ...GOOD, token_type: 'bearer' }, { accessToken: 'a-token' }],
    ['no token_type', { ...GOOD, token_type: undefined }, { accessToken: 'a-token' }],
    ['no scope: the requested ones', { ...GOOD, scope: undefined }, { grantedScopes: REQUESTED }],
    ['an empty scope: none at all', { ...GOOD, scope: '' }, { grantedScopes: [] }],
    ['odd blanks in scope', { ...GOOD, scope: ' a  b\t' }, { grantedScopes: ['a', 'b'] }],
    ['scope as an array', { ...GOOD, scope: ['a', 7, 'b'] }, { grantedScopes: ['a', 'b'] }],
    [
      'an HTML notice before',
      `<br />\n<b>Notice</b>: {x} in <b>a.php</b>\n${JSON.stringify(GOOD)}`,
      { accessToken: 'a-token' },
    ],
    [
      'an HTML notice after',
      `${JSON.stringify(GOOD)}\n<br />\n<b>Warning</b>`,
      { accessToken: 'a-token' },
    ],
    ['error beside a token', { ...GOOD, error: '' }, { accessToken: 'a-token' }],
    ['unknown members', { ...GOOD, id_token: 'x', refresh_token: 'y' }, { accessToken: 'a-token' }],
  ];
  for (const [name, body, expected] of cases) {
    await t.test(name, () => {
      const response = accept(answer(body));
      for (const [member, value] of Object.entries(expected)) {
        assert.deepEqual(response[member as keyof TokenResponse], value, member);
      }
    });
  }
});

test('refuses what is no bearer token, and says what to do', async (t) => {
  const oauth = (error: string, more: object = {}) => ({ error, ...more });
  const cases: [
    name: string,
    answer: HttpAnswer,
    code: string,
    kind: 'configuration' | 'transient',
    message: RegExp,
  ][] = [
    [
      'invalid_client',
      answer(oauth('invalid_client', { error_description: 'Client authentication failed' }), {
        status: 401,
      }),
      'token-refused',
      'configuration',
      /refused a token with "invalid_client" \(Client authentication failed\), status 401$/,
    ],
    [
      'invalid_scope with a hint',
      answer(
        oauth('invalid_scope', {
          error_description: 'unknown',
          hint: 'Check the `system/X.read` scope',
        }),
        { status: 400 },
      ),
      'token-refused',
      'configuration',
      /"invalid_scope" \(unknown; Check the `system\/X\.read` scope\), status 400$/,
    ],
    [
      'an error with status 200',
      answer(oauth('invalid_grant')),
      'token-refused',
      'configuration',
      /"invalid_grant", status 200$/,
    ],
    [
      'server_error',
      answer(oauth('server_error'), { status: 500 }),
      'token-refused',
      'transient',
      /"server_error", status 500$/,
    ],
    [
      'temporarily_unavailable',
      answer(oauth('temporarily_unavailable'), { status: 503 }),
      'token-refused',
      'transient',
      /"temporarily_unavailable"/,
    ],
    [
      'an error behind an HTML notice',
      answer(`<b>Notice</b>\n${JSON.stringify(oauth('invalid_client'))}`, { status: 400 }),
      'token-refused',
      'configuration',
      /"invalid_client"/,
    ],
    [
      'a redirect',
      answer('', { status: 302, location: '/login?session=secret' }),
      'token-endpoint-redirected',
      'configuration',
      /the redirect 302 to "https:\/\/h\.example\/login": redirects are not followed, .*set "tokenEndpoint" to the final address$/,
    ],
    [
      'a redirect to nowhere',
      answer('', { status: 307 }),
      'token-endpoint-redirected',
      'configuration',
      /the redirect 307: redirects are not followed/,
    ],
    [
      'a redirect that holds a token',
      answer(GOOD, { status: 301, location: 'http://' }),
      'token-endpoint-redirected',
      'configuration',
      /to "an unreadable address"/,
    ],
    [
      '404',
      answer('', { status: 404 }),
      'token-endpoint-failed',
      'configuration',
      /status 404: expected 200\. check "tokenEndpoint"$/,
    ],
    [
      '500 with HTML',
      answer('<h1>Error</h1>', { status: 500 }),
      'token-endpoint-failed',
      'transient',
      /status 500: expected 200$/,
    ],
    [
      '503',
      answer('', { status: 503, retryAfterSeconds: 9 }),
      'token-endpoint-failed',
      'transient',
      /status 503/,
    ],
    ['429', answer('', { status: 429 }), 'token-endpoint-failed', 'transient', /status 429/],
    [
      'a token with status 400',
      answer(GOOD, { status: 400 }),
      'token-endpoint-failed',
      'configuration',
      /status 400/,
    ],
    [
      'HTML with status 200',
      answer('<html></html>', { contentType: 'text/html' }),
      'token-answer-malformed',
      'configuration',
      /answered 200 without a JSON object \("text\/html"\)\. check "tokenEndpoint"$/,
    ],
    [
      'nothing with status 200',
      answer('', { contentType: undefined }),
      'token-answer-malformed',
      'configuration',
      /answered 200 without a JSON object\./,
    ],
    [
      'no access_token',
      answer({ ...GOOD, access_token: undefined }),
      'token-answer-malformed',
      'configuration',
      /answered 200 without an "access_token"/,
    ],
    [
      'an empty access_token',
      answer({ ...GOOD, access_token: '' }),
      'token-answer-malformed',
      'configuration',
      /without an "access_token"/,
    ],
    [
      'an access_token that is a number',
      answer({ ...GOOD, access_token: 7 }),
      'token-answer-malformed',
      'configuration',
      /without an "access_token"/,
    ],
    [
      'a line end in access_token',
      answer({ ...GOOD, access_token: 'a\r\nX: y' }),
      'token-answer-malformed',
      'configuration',
      /that no Authorization field can hold/,
    ],
    [
      'another token type',
      answer({ ...GOOD, token_type: 'mac' }),
      'token-type-unsupported',
      'configuration',
      /a token of type "mac": expected "Bearer"$/,
    ],
    [
      'a token type that is no string',
      answer({ ...GOOD, token_type: 7 }),
      'token-type-unsupported',
      'configuration',
      /of type "number"/,
    ],
    [
      'more than 1 MiB',
      answer(GOOD, { truncated: true }),
      'token-answer-too-large',
      'configuration',
      /answered with more than 1 MiB/,
    ],
  ];
  for (const [name, given, code, kind, message] of cases) {
    await t.test(name, () => {
      const error = refuse(given);
      assert.equal(error.code, code, error.message);
      assert.equal(error.kind, kind);
      assert.match(error.message, message);
      assert.equal(error.retryAfterSeconds, given.retryAfterSeconds);
      assert.equal(error.answer?.status, given.status);
    });
  }
});

test('a clock that is far off is named', () => {
  const refused = (clockDifferenceMs: number) =>
    refuse(answer({ error: 'invalid_client' }, { status: 400, clockDifferenceMs }));
  assert.match(refused(90_400).message, /status 400; its clock is 90 s ahead of ours, which alone/);
  assert.match(refused(-3_600_000).message, /its clock is 3600 s behind ours/);
  assert.doesNotMatch(refused(29_000).message, /clock/);
  assert.equal(refused(90_400).answer?.clockDifferenceMs, 90_400);
});

test('the error keeps the answer for hints, cut and without credentials', () => {
  const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const said = `see ${jwt}\r\n\u0000next ${'x'.repeat(300)}`;
  const error = refuse(
    answer(
      {
        error: 'invalid_client',
        error_description: said,
        refresh_token: 'a"\\secret',
        padding: 'y'.repeat(70_000),
      },
      { status: 400 },
    ),
  );
  assert.match(error.message, /\(see \[redacted\] next x+…\)/);
  assert.ok(error.message.length < 400);
  const body = error.answer?.body ?? '';
  assert.ok(body.length <= 65_536);
  assert.match(body, /"refresh_token":"\[redacted\]"/);
  assert.doesNotMatch(body, /eyJ|secret/);
  assert.equal(error.answer?.contentType, 'application/json; charset=UTF-8');
  assert.doesNotMatch(inspect(error) + JSON.stringify(error), /yyyy/);

  const withToken = refuse(answer({ ...GOOD, token_type: 'mac' }));
  assert.doesNotMatch(withToken.answer?.body ?? '', /a-token/);
  assert.doesNotMatch(withToken.message, /a-token/);
});

test('a form in place of JSON leaves no token behind', () => {
  const error = refuse(answer('access_token=gho_secret&token_type=bearer'));
  assert.equal(error.code, 'token-answer-malformed');
  assert.equal(error.answer?.body, 'access_token=[redacted]&token_type=bearer');
});
