import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';

import { buildJwks } from '../../src/auth/jwks.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { ProxyError } from '../../src/base/errors.ts';
import { es384Key, rs384Key } from '../support/keys.ts';

const rsa = rs384Key();
const ec = es384Key();
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string {
  return key.export({ format: 'pem', type }).toString();
}

function without(jwk: JWK, ...names: string[]): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));
}

/** Rejects with a ProxyError of this code whose message matches and holds no key material. */
async function refuses(text: string, code: string, message: RegExp): Promise<void> {
  await assert.rejects(loadSigningKey(text, { name: 'keys/a.pem' }), (error) => {
    assert.ok(error instanceof ProxyError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.message, /^(?:keys\[\d+\] of the )?signing key "keys\/a\.pem"/);
    assert.doesNotMatch(error.message, /\.$|[\w+/-]{60}/);
    return true;
  });
}

test('loads a key from every spelling that holds one', async (t) => {
  const bare = without(rsa.privateJwk, 'kid', 'alg', 'use');
  const rsaTexts: Record<string, string> = {
    JWK: rsa.text,
    'JWK with white space and a byte order mark': `\uFEFF\n  ${JSON.stringify(rsa.privateJwk, null, 2)}\n`,
    'JWK without kid, alg and use': JSON.stringify(bare),
    'JWK Set': JSON.stringify({ keys: [rsa.privateJwk] }),
    'PKCS#8 PEM': pem(rsa.privateKey, 'pkcs8'),
    'PKCS#1 PEM': pem(rsa.privateKey, 'pkcs1'),
    'PEM with CRLF': rsa.pem.replaceAll('\n', '\r\n'),
    'PEM with \\n in place of line ends': rsa.pem.trim().replaceAll('\n', String.raw`\n`),
    'PEM with \\r\\n in place of line ends': rsa.pem.replaceAll('\n', String.raw`\r\n`),
    'PEM in quotes, as in an .env file': `"${rsa.pem.replaceAll('\n', String.raw`\n`)}"`,
    'PEM with blanks in place of line ends': rsa.pem.replaceAll('\n', ' '),
    'PEM on one line': rsa.pem.replaceAll('\n', ''),
    'PEM after bag attributes': `Bag Attributes\n    friendlyName: key\n${rsa.pem}`,
    'PEM after the public key': `${rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()}${rsa.pem}`,
  };
  for (const [name, text] of Object.entries(rsaTexts)) {
    await t.test(`RSA: ${name}`, async () => {
      const key = await loadSigningKey(text);
      assert.equal(key.alg, 'RS384');
      assert.equal(key.bits, 2048);
      assert.equal(key.publicJwk.n, rsa.publicJwk.n);
      assert.ok(key.privateKey.equals(rsa.privateKey));
    });
  }
  const ecTexts: Record<string, string> = {
    JWK: ec.text,
    'PKCS#8 PEM': pem(ec.privateKey, 'pkcs8'),
    'SEC 1 PEM': pem(ec.privateKey, 'sec1'),
    'SEC 1 PEM after its parameters': `-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n${pem(ec.privateKey, 'sec1')}`,
  };
  for (const [name, text] of Object.entries(ecTexts)) {
    await t.test(`EC P-384: ${name}`, async () => {
      const key = await loadSigningKey(text);
      assert.equal(key.alg, 'ES384');
      assert.equal(key.bits, undefined);
      assert.equal(key.publicJwk.x, ec.publicJwk.x);
      assert.ok(key.privateKey.equals(ec.privateKey));
    });
  }
});

test('the public JWK has every member that verifying needs and no private one', async () => {
  const fromRsa = (await loadSigningKey(rsa.text)).publicJwk;
  assert.deepEqual(Object.keys(fromRsa).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  assert.deepEqual(fromRsa, rsa.publicJwk);
  const fromEc = (await loadSigningKey(ec.pem)).publicJwk;
  assert.deepEqual(Object.keys(fromEc).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  for (const member of PRIVATE_MEMBERS) {
    assert.ok(!(member in fromRsa) && !(member in fromEc), member);
  }
});

test('printing a key shows no private member', async () => {
  const key = await loadSigningKey(rsa.text);
  for (const print of [JSON.stringify(key), inspect(key, { depth: 9, showHidden: true })]) {
    for (const member of PRIVATE_MEMBERS) {
      const value = rsa.privateJwk[member as 'd'];
      if (typeof value === 'string') assert.ok(!print.includes(value), member);
    }
  }
});

test('kid is the option, else the kid of the JWK, else the RFC 7638 thumbprint', async () => {
  const thumbprint = await calculateJwkThumbprint(rsa.publicJwk);
  const unnamed = JSON.stringify(without(rsa.privateJwk, 'kid'));
  assert.equal((await loadSigningKey(rsa.text, { keyId: 'chosen' })).kid, 'chosen');
  assert.equal((await loadSigningKey(rsa.text)).kid, rsa.kid);
  assert.equal((await loadSigningKey(unnamed)).kid, thumbprint);
  assert.equal((await loadSigningKey(rsa.pem)).kid, thumbprint);
  assert.equal((await loadSigningKey(rsa.pem)).publicJwk.kid, thumbprint);
});

test('takes the first usable RSA key of a JWK Set, else the first usable EC key', async () => {
  const set = (...keys: unknown[]) => JSON.stringify({ keys });
  const other = rs384Key('other');
  const signer = async (text: string, keyId?: string) =>
    (await loadSigningKey(text, { keyId })).publicJwk;
  const weak = { ...other.privateJwk, alg: 'RS256' };

  assert.equal((await signer(set(ec.privateJwk, rsa.privateJwk))).kid, rsa.kid);
  assert.equal((await signer(set(rsa.privateJwk, other.privateJwk))).kid, rsa.kid);
  assert.equal((await signer(set(other.publicJwk, 7, weak, rsa.privateJwk))).kid, rsa.kid);
  assert.equal((await signer(set(rsa.publicJwk, ec.privateJwk))).kid, ec.kid);
  assert.equal((await signer(set(rsa.privateJwk, other.privateJwk), 'other')).n, other.publicJwk.n);
  assert.equal((await signer(set(rsa.privateJwk, ec.privateJwk), ec.kid)).kty, 'EC');
  const renamed = await signer(set(rsa.privateJwk), 'renamed');
  assert.deepEqual([renamed.kid, renamed.n], ['renamed', rsa.publicJwk.n]);
});

test('refuses what cannot sign, and says why', async (t) => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey;
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const encrypted = (cipher: string, type: 'pkcs1' | 'pkcs8') =>
    rsa.privateKey.export({ format: 'pem', type, cipher, passphrase: 'secret' } as never);
  const other = rs384Key('other').privateJwk;
  const jwk = (members: object) => JSON.stringify({ ...rsa.privateJwk, ...members });

  const cases: [string, string, string, RegExp][] = [
    ['an empty text', ' \n', 'key-empty', /is empty: expected a private JWK or PEM key/],
    ['a word', 'secret', 'key-unrecognized', /neither JSON nor PEM/],
    ['half a JWK', rsa.text.slice(0, 300), 'key-not-json', /may have been cut off/],
    ['a JSON array', `[${rsa.text}]`, 'key-malformed', /not an object/],
    ['an empty object', '{}', 'key-malformed', /has no "kty" member/],
    ['a public JWK', JSON.stringify(rsa.publicJwk), 'key-public-only', /is a public key/],
    ['a public EC JWK', JSON.stringify(ec.publicJwk), 'key-public-only', /is a public key/],
    ['a shared secret', '{"kty":"oct","k":"c2VjcmV0"}', 'key-symmetric', /shared secret/],
    [
      'an Ed25519 JWK',
      JSON.stringify(ed25519.export({ format: 'jwk' })),
      'key-type-unsupported',
      /"OKP"/,
    ],
    ['an Ed25519 PEM', pem(ed25519, 'pkcs8'), 'key-type-unsupported', /"ed25519"/],
    ['an RSA-PSS PEM', pem(pss, 'pkcs8'), 'key-type-unsupported', /"rsa-pss"/],
    [
      'a P-256 JWK',
      JSON.stringify(p256.export({ format: 'jwk' })),
      'key-wrong-curve',
      /"P-256": expected "P-384"/,
    ],
    ['a P-256 PEM', pem(p256, 'sec1'), 'key-wrong-curve', /"prime256v1": expected P-384/],
    ['RSA of 1024 bits', pem(short, 'pkcs1'), 'key-too-short', /1024 bits: expected at least 2048/],
    ['alg RS256', jwk({ alg: 'RS256' }), 'key-wrong-algorithm', /"RS256": expected "RS384"/],
    ['alg PS384', jwk({ alg: 'PS384' }), 'key-wrong-algorithm', /"PS384": expected "RS384"/],
    ['an RSA key said to be ES384', jwk({ alg: 'ES384' }), 'key-wrong-algorithm', /"ES384"/],
    ['a key for encryption', jwk({ use: 'enc' }), 'key-wrong-use', /expected "use" to be "sig"/],
    ['key_ops without sign', jwk({ key_ops: ['verify'] }), 'key-wrong-use', /"key_ops" to hold/],
    [
      'an RSA JWK without p',
      JSON.stringify(without(rsa.privateJwk, 'p')),
      'key-malformed',
      /"n", "e", "d", "p"/,
    ],
    [
      'an EC JWK without y',
      JSON.stringify(without(ec.privateJwk, 'y')),
      'key-malformed',
      /"x", "y" and "d"/,
    ],
    ['halves of two keys', jwk({ n: other.n }), 'key-inconsistent', /does not verify/],
    ['an empty JWK Set', '{"keys":[]}', 'key-none-usable', /without a private signing key/],
    [
      'a JWK Set of one public key',
      JSON.stringify({ keys: [rsa.publicJwk] }),
      'key-public-only',
      /^keys\[0\] of the signing key/,
    ],
    [
      'a JWK Set of two',
      JSON.stringify({ keys: [rsa.publicJwk, {}] }),
      'key-none-usable',
      /keys\[0\].*public key.*; keys\[1\].*"kty"/,
    ],
    [
      'a public PEM',
      rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      'key-public-only',
      /"PUBLIC KEY": expected the private key/,
    ],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      'key-public-only',
      /"CERTIFICATE"/,
    ],
    [
      'an encrypted PKCS#8 PEM',
      encrypted('aes-256-cbc', 'pkcs8').toString(),
      'key-encrypted',
      /openssl pkey -in KEY\.pem -out PLAIN\.pem/,
    ],
    [
      'an encrypted PKCS#1 PEM',
      encrypted('aes-128-cbc', 'pkcs1').toString(),
      'key-encrypted',
      /encrypted with a passphrase/,
    ],
    [
      'an OpenSSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----',
      'key-format-unsupported',
      /ssh-keygen -p -m PKCS8/,
    ],
    [
      'a PEM that was cut off',
      rsa.pem.slice(0, 700),
      'key-truncated',
      /no line "-----END PRIVATE KEY-----"/,
    ],
    [
      'the first line of a PEM',
      '-----BEGIN RSA PRIVATE KEY-----',
      'key-truncated',
      /\\n when it stands in an environment variable/,
    ],
    [
      'a PEM with letters lost',
      rsa.pem.replace(/\n.{40}/, '\n'),
      'key-malformed',
      /not a readable "PRIVATE KEY"/,
    ],
    [
      'parameters alone',
      '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----',
      'key-format-unsupported',
      /but "EC PARAMETERS"/,
    ],
  ];
  for (const [name, text, code, message] of cases) {
    await t.test(name, () => refuses(text, code, message));
  }
});

test('keys made by openssl load', async (t) => {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    openssl('version');
  } catch {
    t.skip('openssl is not installed');
    return;
  }
  const made: [string, string, 'RS384' | 'ES384', number?][] = [
    [
      'genpkey RSA',
      openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'),
      'RS384',
      2048,
    ],
    [
      'genpkey RSA, 3072 bits',
      openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'),
      'RS384',
      3072,
    ],
    ['genrsa -traditional', openssl('genrsa', '-traditional', '2048'), 'RS384', 2048],
    [
      'genpkey EC',
      openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'),
      'ES384',
    ],
    ['ecparam -genkey', openssl('ecparam', '-name', 'secp384r1', '-genkey'), 'ES384'],
  ];
  assert.match(made[2]?.[1] ?? '', /BEGIN RSA PRIVATE KEY/);
  for (const [name, text, alg, bits] of made) {
    await t.test(name, async () => {
      const key = await loadSigningKey(text);
      assert.equal(key.alg, alg);
      assert.equal(key.bits, bits);
    });
  }
});

test('keys made by jose load', async () => {
  for (const alg of ['RS384', 'ES384'] as const) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(privateKey);
    assert.equal((await loadSigningKey(JSON.stringify(jwk))).alg, alg);
    assert.equal((await loadSigningKey(await exportPKCS8(privateKey))).alg, alg);
  }
});

test('buildJwks puts RSA keys first and gives each kid once', async () => {
  const keys = [await loadSigningKey(ec.text), await loadSigningKey(rsa.text)];
  const again = await loadSigningKey(rs384Key('other').text, { keyId: rsa.kid });
  assert.deepEqual(buildJwks([...keys, again]), { keys: [rsa.publicJwk, ec.publicJwk] });
  assert.deepEqual(buildJwks([]), { keys: [] });
});
