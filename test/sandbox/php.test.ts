import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseJwt } from '../../src/sandbox/jwt.ts';
import { parsePhpForm, parsePhpQuery, phpName } from '../../src/sandbox/php-form.ts';
import { phpJson } from '../../src/sandbox/php-json.ts';

const NAMES: readonly [string, string][] = [
  ['scope', 'scope'],
  ['_REWRITE.COMMAND', '_REWRITE_COMMAND'],
  ['_REWRITE COMMAND', '_REWRITE_COMMAND'],
  ['_REWRITE[COMMAND', '_REWRITE_COMMAND'],
  ['  name', 'name'],
  ['list[key]', 'list'],
  ['a.b[c]', 'a_b'],
  ['[x]', '[x]'],
];

for (const [name, expected] of NAMES) {
  test(`PHP calls the parameter "${name}" "${expected}"`, () => {
    assert.equal(phpName(name), expected);
  });
}

const QUERIES: readonly [string, [string, string][]][] = [
  [
    'a=1&b=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['a=1&a=2', [['a', '2']]],
  ['a=x+y%2Bz', [['a', 'x y+z']]],
  [
    'a&b=',
    [
      ['a', ''],
      ['b', ''],
    ],
  ],
  [
    'a=%C3%A9&b=%',
    [
      ['a', 'é'],
      ['b', '%'],
    ],
  ],
  ['a=b=c', [['a', 'b=c']]],
  ['', []],
  ['&&', []],
];

for (const [query, expected] of QUERIES) {
  test(`query "${query}"`, () => {
    assert.deepEqual([...parsePhpQuery(query)], expected);
  });
}

test('a form is read from both of the types that PHP reads, and from no other', async () => {
  const body = Buffer.from('a=1');
  const urlencoded = await parsePhpForm('application/x-www-form-urlencoded; charset=utf-8', body);
  assert.deepEqual([...(urlencoded ?? [])], [['a', '1']]);
  const multipart = Buffer.from(
    '--x\r\nContent-Disposition: form-data; name="a.b"\r\n\r\n1\r\n--x--\r\n',
  );
  const parsed = await parsePhpForm('multipart/form-data; boundary=x', multipart);
  assert.deepEqual([...(parsed ?? [])], [['a_b', '1']]);
  assert.deepEqual(await parsePhpForm('multipart/form-data', multipart), new Map());
  assert.equal(await parsePhpForm('application/json', body), undefined);
  assert.equal(await parsePhpForm(undefined, body), undefined);
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ alg: 'RS384' });

const TOKENS: readonly [string, string, string][] = [
  ['an empty text', '', 'The JWT string must have two dots'],
  ['two parts', `${HEADER}.e30`, 'The JWT string must have two dots'],
  ['four parts', 'a.b.c.d', 'The JWT string must have two dots'],
  [
    'a byte outside of the alphabet',
    'a!.b.c',
    'Error while decoding from Base64Url, invalid base64 characters detected',
  ],
  [
    'padding',
    `${HEADER}=.e30.AA`,
    'Error while decoding from Base64Url, invalid base64 characters detected',
  ],
  [
    'a part that ends inside of a byte',
    'aaa.bbb.ccc',
    'Error while decoding from Base64Url, invalid base64 characters detected',
  ],
  [
    'a header that is no JSON',
    `${Buffer.from('nope').toString('base64url')}.e30.AA`,
    'Error while decoding from JSON',
  ],
  [
    'a header that is no object',
    `${encode(1)}.e30.AA`,
    'Part "headers" of the token must be an array',
  ],
  ['an encrypted token', `${encode({ enc: 'A128GCM' })}.e30.AA`, 'Encryption is not supported yet'],
  [
    'a date in words',
    `${HEADER}.${encode({ exp: 'tomorrow' })}.AA`,
    'Value is not in the allowed date format: tomorrow',
  ],
];

for (const [name, token, message] of TOKENS) {
  test(`a JWT that is ${name} is refused in lcobucci's words`, () => {
    assert.equal(parseJwt(token), message);
  });
}

test('a JWT is read with aud as a list and times as dates', () => {
  const jwt = parseJwt(`${HEADER}.${encode({ aud: 'a', exp: '1795458516.5', iat: 1 })}.AA`);
  assert.ok(typeof jwt === 'object');
  assert.deepEqual(jwt.claims, {
    aud: ['a'],
    exp: new Date(1_795_458_516_500),
    iat: new Date(1000),
  });
  assert.deepEqual(jwt.signature, Buffer.from([0]));
});

test('json_encode escapes slashes and everything beyond ASCII', () => {
  assert.equal(phpJson({ a: 'x/y é 😀' }), String.raw`{"a":"x\/y \u00e9 \ud83d\ude00"}`);
});
