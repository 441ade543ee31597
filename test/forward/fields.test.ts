import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CONTAINMENT_FIELDS } from '../../src/forward/browser-steering.ts';
import { buildRequestFields } from '../../src/forward/request-fields.ts';
import {
  buildResponseFields,
  cleanReasonPhrase,
  findField,
  readFields,
  type RawFields,
} from '../../src/forward/response-fields.ts';

const raw = (...fields: string[]): RawFields =>
  readFields(fields.map((field) => Buffer.from(field, 'latin1')));

function toUpstream(...rawFields: string[]): string[] {
  return buildRequestFields(rawFields, { authorization: undefined, codings: 'any' });
}

describe('fields to the upstream', () => {
  const removed: [name: string, field: string][] = [
    ['another authorization', 'Authorization'],
    ['credentials for a proxy', 'Proxy-Authorization'],
    ['cookies of other local servers', 'Cookie'],
    ["OpenEMR's own CSRF token, which switches its API to cookies", 'APICSRFTOKEN'],
    ['the key of this proxy', 'X-API-Key'],
    ['Forwarded', 'Forwarded'],
    ['X-Forwarded-For', 'X-Forwarded-For'],
    ['X-Forwarded-Host, which changes the audience OpenEMR expects', 'x-forwarded-host'],
    [
      'a name with an underscore, which CGI reads like one with a hyphen (CVE-2025-64484)',
      'X_Forwarded_For',
    ],
    ['an underscore in front', '_Authorization'],
    ['Proxy, which PHP reads as HTTP_PROXY (CVE-2016-5385)', 'Proxy'],
    ['X-HTTP-Method-Override, which OpenEMR 8 obeys', 'X-HTTP-Method-Override'],
    ['X-HTTP-Method', 'X-HTTP-Method'],
    ['X-Method-Override', 'X-Method-Override'],
    ['X-Original-URL, which frameworks take for the path (CVE-2018-14773)', 'X-Original-URL'],
    ['X-Rewrite-URL', 'X-Rewrite-URL'],
    ...[
      'X-Real-IP',
      'X-Client-IP',
      'Client-IP',
      'True-Client-IP',
      'X-Cluster-Client-IP',
      'CF-Connecting-IP',
      'X-Forwarded',
      'Forwarded-For',
      'X-Host',
      'X-Original-Host',
      'X-Remote-User',
      'X-Original-URI',
      'Front-End-Https',
      'Client-Cert',
      // What CGI folds into one of them.
      'X.HTTP.Method.Override',
      'X!HTTP!Method',
      'X~Forwarded~For',
      'X*Real*IP',
      "X'Y",
      'X|Y',
      'X`Y',
    ].map((name): [string, string] => [name, name]),
    ['Expect', 'Expect'],
    ['TE', 'TE'],
    ['Trailer, which has killed proxies', 'Trailer'],
    ['Transfer-Encoding', 'Transfer-Encoding'],
    ['Upgrade', 'Upgrade'],
    ['Keep-Alive', 'Keep-Alive'],
    ['Proxy-Connection', 'Proxy-Connection'],
    ['Host, which the transport makes', 'Host'],
    ["what a browser says about the caller's site", 'Sec-Fetch-Site'],
    ['preflight fields', 'Access-Control-Request-Method'],
  ];
  for (const [name, field] of removed) {
    test(`removes ${name}`, () => {
      for (const spelling of [field, field.toUpperCase(), field.toLowerCase()]) {
        assert.deepEqual(toUpstream('Accept', 'a', spelling, 'x', 'Prefer', 'b'), [
          'Accept',
          'a',
          'Prefer',
          'b',
        ]);
      }
    });
  }

  test('keeps order, spelling and duplicates of the rest', () => {
    const fields = ['aCCept', 'application/fhir+json', 'X-A', '1', 'If-Match', 'W/"2"', 'X-A', '2'];
    assert.deepEqual(toUpstream(...fields), fields);
  });

  test('keeps the exact value of Accept and Prefer, which $export compares byte by byte', () => {
    const fields = ['Accept', 'application/fhir+json', 'Prefer', 'respond-async'];
    assert.deepEqual(toUpstream(...fields), fields);
  });

  test('removes Connection and every field that it names, in one or more lists', () => {
    assert.deepEqual(
      toUpstream(
        'Connection',
        'keep-alive, X-Hop',
        'X-Hop',
        '1',
        'Connection',
        'x-other',
        'X-Other',
        '2',
        'X-Kept',
        '3',
      ),
      ['X-Kept', '3'],
    );
  });

  test('does not let Connection name the framing away', () => {
    assert.deepEqual(toUpstream('Connection', 'Content-Length', 'Content-Length', '3'), [
      'Content-Length',
      '3',
    ]);
  });

  test('sets its own Authorization after everything was removed (golang/go#50580, CVE-2026-33805)', () => {
    const fields = buildRequestFields(
      ['Connection', 'close, Authorization', 'authorization', 'Bearer of-the-client'],
      { authorization: 'Bearer of-the-proxy', codings: 'any' },
    );
    assert.deepEqual(fields, ['Authorization', 'Bearer of-the-proxy']);
  });

  test('asks for an uncoded answer when links may be rewritten', () => {
    const fields = buildRequestFields(['Accept-Encoding', 'gzip, br', 'Accept', 'a'], {
      authorization: undefined,
      codings: 'identity',
    });
    assert.deepEqual(fields, ['Accept', 'a', 'Accept-Encoding', 'identity']);
  });
});

describe('fields to the client', () => {
  /** What is built, without the fields that every response carries. */
  const built = (fields: RawFields, options: Parameters<typeof buildResponseFields>[1]) => {
    const all = buildResponseFields(fields, options);
    const at = all.indexOf(CONTAINMENT_FIELDS[0]!);
    assert.deepEqual(all.splice(at, CONTAINMENT_FIELDS.length), CONTAINMENT_FIELDS);
    return all;
  };
  const build = (fields: RawFields, bodyChanges = false) =>
    built(fields, {
      rewriteField: undefined,
      bodyChanges,
      decoded: false,
      length: undefined,
      added: [],
    });

  test('every response is kept from acting in the origin of the proxy', () => {
    assert.deepEqual(CONTAINMENT_FIELDS, [
      'Content-Security-Policy',
      "sandbox; default-src 'none'; frame-ancestors 'none'",
      'X-Content-Type-Options',
      'nosniff',
      'Cross-Origin-Resource-Policy',
      'same-site',
    ]);
  });

  for (const name of [
    'Set-Cookie2',
    'Clear-Site-Data',
    'Refresh',
    'Service-Worker-Allowed',
    'NEL',
    'Report-To',
    'Reporting-Endpoints',
    'Public-Key-Pins',
    'Alt-Svc',
    'SourceMap',
    'X-SourceMap',
    'Speculation-Rules',
    'Origin-Agent-Cluster',
    'Accept-CH',
    'Content-Security-Policy',
    'Content-Security-Policy-Report-Only',
    'X-Content-Type-Options',
    'X-Frame-Options',
    'X-XSS-Protection',
    'Cross-Origin-Opener-Policy',
    'Cross-Origin-Resource-Policy',
    'Permissions-Policy',
    'Referrer-Policy',
    'Timing-Allow-Origin',
    'Proxy-Status',
    'Cache-Status',
    'Server-Timing',
    'Sec-GPC',
    'Attribution-Reporting-Register-Source',
  ]) {
    test(`the upstream does not steer the browser by ${name}, in any case`, () => {
      const fields = raw(name, 'x', name.toUpperCase(), 'y', 'ETag', 'e');
      assert.deepEqual(build(fields), ['ETag', 'e']);
    });
  }

  test('nor does it forge what this proxy says of a reused response', () => {
    assert.deepEqual(build(raw('Cache-Status', 'fhir-auth-proxy; hit')), []);
  });

  for (const [value, crosses] of [
    ['Bearer', true],
    ['Bearer realm="basic training", error="invalid_token"', true],
    ['Basic realm="OpenEMR login"', false],
    ['Bearer, Basic realm="x"', false],
    ['Negotiate', false],
    ['nTlM', false],
    ['Digest realm="x"', false],
  ] as const) {
    test(`a challenge ${crosses ? 'crosses' : 'that opens a password dialog does not cross'}: ${value}`, () => {
      assert.equal(build(raw('WWW-Authenticate', value)).length, crosses ? 2 : 0);
    });
  }

  test('removes cookies, HSTS, CORS and hop-by-hop fields', () => {
    assert.deepEqual(
      build(
        raw(
          'Date',
          'd',
          'Set-Cookie',
          'apiOpenEMR=x',
          'set-cookie',
          'authserverOpenEMR=y',
          'Strict-Transport-Security',
          'max-age=1; preload',
          'Access-Control-Allow-Origin',
          '*',
          'Access-Control-Allow-Credentials',
          'true',
          'Connection',
          'close',
          'Keep-Alive',
          'timeout=5',
          'Transfer-Encoding',
          'chunked',
          'Trailer',
          'x',
          'Upgrade',
          'h2',
          'Proxy-Authenticate',
          'Basic',
          'Content-Type',
          'application/json',
        ),
      ),
      ['Date', 'd', 'Content-Type', 'application/json'],
    );
  });

  test('removes what Connection names, wherever it stands', () => {
    assert.deepEqual(build(raw('X-Hop', '1', 'Connection', 'X-Hop', 'X-Kept', '2')), [
      'X-Kept',
      '2',
    ]);
  });

  test('keeps duplicates apart: two Link fields, two challenges', () => {
    const fields = [
      'Link',
      '<a>',
      'Link',
      '<b>',
      'WWW-Authenticate',
      'Bearer',
      'WWW-Authenticate',
      'DPoP',
    ];
    assert.deepEqual(build(raw(...fields)), fields);
  });

  test('drops length and digests only when the body changes', () => {
    const fields = raw('Content-Length', '3', 'Digest', 'd', 'ETag', 'e');
    assert.deepEqual(build(fields), ['Content-Length', '3', 'Digest', 'd', 'ETag', 'e']);
    assert.deepEqual(build(fields, true), ['ETag', 'e']);
  });

  test("a known length takes the place of the upstream's, digests stay while the bytes do", () => {
    const fields = raw('Content-Length', '3', 'Content-Digest', 'd', 'ETag', 'e');
    const options = { rewriteField: undefined, decoded: false, length: 7, added: [] };
    assert.deepEqual(built(fields, { ...options, bodyChanges: false }), [
      'Content-Digest',
      'd',
      'ETag',
      'e',
      'Content-Length',
      '7',
    ]);
    assert.deepEqual(built(fields, { ...options, bodyChanges: true }), [
      'ETag',
      'e',
      'Content-Length',
      '7',
    ]);
  });

  test('rewrites Location, Content-Location and Link, and no other field', () => {
    const fields = built(
      raw('Location', 'u/1', 'Content-Location', 'u/2', 'Link', '<u/3>', 'X-Link', 'u/4'),
      {
        rewriteField: (value) => value.replace('u/', 'p/'),
        bodyChanges: false,
        decoded: false,
        length: undefined,
        added: ['A', 'b'],
      },
    );
    assert.deepEqual(fields, [
      'Location',
      'p/1',
      'Content-Location',
      'p/2',
      'Link',
      '<p/3>',
      'X-Link',
      'u/4',
      'A',
      'b',
    ]);
  });

  test('an undone content coding takes its field along', () => {
    const fields = raw('Content-Encoding', 'gzip', 'Content-Length', '3', 'ETag', 'e');
    assert.deepEqual(
      built(fields, {
        rewriteField: undefined,
        bodyChanges: true,
        decoded: true,
        length: undefined,
        added: [],
      }),
      ['ETag', 'e'],
    );
  });

  test('finds a field whatever its letter case', () => {
    assert.equal(findField(raw('CONTENT-type', 'x'), 'content-type'), 'x');
    assert.equal(findField(raw('Content-Typo', 'x'), 'content-type'), undefined);
    assert.equal(findField(raw('A', 'x', 'B', 'y', 'a', 'z'), 'a'), 'x, z');
  });
});

test('a reason phrase with a control character is dropped, which has killed proxies', () => {
  assert.equal(cleanReasonPhrase('Not Found'), 'Not Found');
  for (const phrase of ['a\u0001b', 'a\u007fb', '', undefined]) {
    assert.equal(cleanReasonPhrase(phrase), undefined);
  }
});
