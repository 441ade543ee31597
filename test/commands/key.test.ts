import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

import { runProgram } from '../../src/commands/program.ts';
import { es384Key, rs384Key } from '../support/keys.ts';
import { createTestRuntime } from '../support/runtime.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function key(cwd: string, ...argv: string[]) {
  const runtime = createTestRuntime({ cwd });
  const code = await runProgram(['key', ...argv], runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

function write(folder: string, name: string, content: unknown, mode = 0o600): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(folder, name), text, { mode });
  return name;
}

describe('key generate', () => {
  it('makes an RSA key of 3072 bits that only its owner can read, named by its RFC 7638 thumbprint', async (t) => {
    const cwd = createFolder(t);
    const { code, out, err } = await key(cwd, 'generate');
    assert.equal(code, 0, err);
    const file = join(cwd, 'keys/private.jwk.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(cwd, 'keys')).mode & 0o777, 0o700);
    const jwk = JSON.parse(readFileSync(file, 'utf8')) as JWK;
    assert.deepEqual([jwk.kty, jwk.alg, jwk.use], ['RSA', 'RS384', 'sig']);
    assert.equal(Buffer.from(jwk.n ?? '', 'base64url').length * 8, 3072);
    assert.equal(jwk.kid, await calculateJwkThumbprint(jwk, 'sha256'));
    assert.match(out, new RegExp(`kid +${jwk.kid}`));
    for (const member of PRIVATE_MEMBERS) {
      const secret = jwk[member as keyof JWK];
      if (typeof secret === 'string') assert.ok(!out.includes(secret));
    }
  });

  it('never writes over a file that is there without --force', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'mine.json', 'precious');
    const refused = await key(cwd, 'generate', 'mine.json', '--alg', 'ES384');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^error: the key file ".*mine\.json" is there already .* --force\n$/);
    assert.equal(readFileSync(join(cwd, 'mine.json'), 'utf8'), 'precious');
    const forced = await key(cwd, 'generate', 'mine.json', '--alg', 'ES384', '--force', '--json');
    assert.equal(forced.code, 0);
    const made = JSON.parse(forced.out) as { kid: string; alg: string; file: string };
    const jwk = JSON.parse(readFileSync(join(cwd, 'mine.json'), 'utf8')) as JWK;
    assert.deepEqual([jwk.kty, jwk.crv, made.alg, made.kid], ['EC', 'P-384', 'ES384', jwk.kid]);
    assert.equal(statSync(join(cwd, 'mine.json')).mode & 0o777, 0o600);
  });

  it('writes PKCS#8 with --pem, which openssl reads', async (t) => {
    const cwd = createFolder(t);
    assert.equal((await key(cwd, 'generate', '--pem', '--bits', '2048')).code, 0);
    const file = join(cwd, 'keys/private.pem');
    assert.match(readFileSync(file, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
    assert.match(
      execFileSync('openssl', ['pkey', '-in', file, '-noout', '-text']).toString(),
      /2048 bit/,
    );
  });

  it('refuses what it cannot make', async (t) => {
    const cwd = createFolder(t);
    const cases: [string[], RegExp][] = [
      [['generate', '--alg', 'HS256'], /--alg is "HS256": expected "RS384" or "ES384"/],
      [['generate', '--bits', '1024'], /--bits is "1024": expected a number from 2048 to 8192/],
      [['generate', '--alg', 'ES384', '--bits', '2048'], /--bits goes with RS384 only/],
      [['make'], /unknown action "make": expected "generate", "public", "check" or "rotate"/],
      [[], /no action given/],
    ];
    for (const [argv, message] of cases) {
      const { code, err } = await key(cwd, ...argv);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  });
});

describe('key public', () => {
  it('prints a JWK Set without private members for keys of openssl, of jose and of its own', async (t) => {
    const cwd = createFolder(t);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd, stdio: 'pipe' });
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'a.pem');
    openssl('genrsa', '-traditional', '-out', 'b.pem', '2048');
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384', '-out', 'c.pem');
    const { privateKey } = await generateKeyPair('RS384', { extractable: true });
    write(cwd, 'd.json', await exportJWK(privateKey));
    await key(cwd, 'generate', 'e.json', '--bits', '2048');
    write(cwd, 'f.json', { keys: [rs384Key().privateJwk] });
    for (const name of ['a.pem', 'b.pem', 'c.pem', 'd.json', 'e.json', 'f.json']) {
      chmodSync(join(cwd, name), 0o600);
      const { code, out, err } = await key(cwd, 'public', name);
      assert.equal(code, 0, `${name}: ${err}`);
      const { keys } = JSON.parse(out) as { keys: JWK[] };
      assert.equal(keys.length, 1);
      assert.ok(keys[0]?.kid);
      for (const member of PRIVATE_MEMBERS) assert.ok(!(member in keys[0]), `${name} ${member}`);
      write(cwd, 'jwks.json', out, 0o644);
      const checked = await key(cwd, 'check', 'jwks.json', '--against', name);
      assert.equal(checked.code, name === 'c.pem' ? 1 : 0, checked.out);
    }
  });

  for (const alg of ['RS384', 'ES384']) {
    it(`prints a certificate of an ${alg} key with --x509, which openssl verifies`, async (t) => {
      const cwd = createFolder(t);
      assert.equal((await key(cwd, 'generate', 'key.json', '--alg', alg)).code, 0);
      const { code, out, err } = await key(cwd, 'public', 'key.json', '--x509');
      assert.equal(code, 0, err);
      assert.doesNotMatch(out, /PRIVATE/);
      assert.equal(out.match(/-----BEGIN/g)?.length, 1);
      const certificate = new X509Certificate(out);
      assert.ok(certificate.verify(certificate.publicKey));
      const { out: spki } = await key(cwd, 'public', 'key.json', '--pem');
      assert.equal(certificate.publicKey.export({ format: 'pem', type: 'spki' }), spki);
      const { kid } = JSON.parse(readFileSync(join(cwd, 'key.json'), 'utf8')) as { kid: string };
      assert.equal(certificate.subject, `CN=${kid}`);
      writeFileSync(join(cwd, 'key.crt'), out);
      const verified = execFileSync('openssl', ['verify', '-CAfile', 'key.crt', 'key.crt'], {
        cwd,
      });
      assert.match(verified.toString(), /OK/);
    });
  }

  it('is not written below a file, and does not say that it is there', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'file', 'text');
    const { code, err } = await key(cwd, 'generate', 'file/key.json', '--bits', '2048');
    assert.equal(code, 1);
    assert.match(err, /cannot write the key file ".*" \(ENOTDIR\)/);
  });

  it('prints one form at a time', async (t) => {
    const cwd = createFolder(t);
    const { code, err } = await key(cwd, 'public', 'key.json', '--pem', '--x509');
    assert.equal(code, 2);
    assert.match(err, /expected one of them/);
  });

  it('prints SubjectPublicKeyInfo with --pem', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'key.json', rs384Key().text);
    const { out } = await key(cwd, 'public', 'key.json', '--pem');
    assert.match(out, /^-----BEGIN PUBLIC KEY-----\n/);
    assert.equal(createPublicKey(out).export({ format: 'jwk' }).n, rs384Key().publicJwk.n);
    assert.doesNotMatch(out, /PRIVATE/);
  });

  it('takes the key of the configuration when no file is named', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'key.json', rs384Key('configured').text);
    const client = { id: 'a', key: 'key.json', scopes: ['system/Patient.read'] };
    const route = { path: '/fhir', upstream: 'https://openemr.example/apis/default/fhir', client };
    write(cwd, 'proxy.config.json', { routes: [route] });
    const { out, err } = await key(cwd, 'public');
    assert.equal((JSON.parse(out) as { keys: JWK[] }).keys[0]?.kid, 'configured', err);
  });

  it('takes the key that "key generate" made where there is no configuration yet', async (t) => {
    const cwd = createFolder(t);
    const none = await key(cwd, 'public');
    assert.deepEqual([none.code, none.out], [2, '']);
    assert.equal((await key(cwd, 'generate')).code, 0);
    const named = await key(cwd, 'public', 'keys/private.jwk.json');
    const { code, out, err } = await key(cwd, 'public');
    assert.deepEqual([code, out], [0, named.out]);
    assert.match(
      err,
      /no proxy\.config\.json here: the key is the one of keys\/private\.jwk\.json/,
    );
    assert.equal((await key(cwd, 'public', '--config', 'absent.json')).code, 2);
  });

  it('refuses a key file that others can read', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'key.json', rs384Key().text);
    chmodSync(join(cwd, 'key.json'), 0o644);
    const { code, out, err } = await key(cwd, 'public', 'key.json');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /can be read by others .*chmod 600/);
  });
});

describe('key check', () => {
  const rsa = rs384Key().publicJwk;
  const other = rs384Key('other').publicJwk;
  const ec = es384Key().publicJwk;
  const short = {
    ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
    kid: 'short',
  };
  const spki = rs384Key().publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const unnamed = { ...rsa, kid: undefined };

  /** Content, exit code, what is printed, codes of the findings. */
  const cases: [string, unknown, number, RegExp, string[]][] = [
    ['our JWK Set', { keys: [rsa] }, 0, /is the public half of ours/, ['jwks-ours', 'jwks-signer']],
    [
      'a private key in a JWK Set',
      { keys: [rs384Key().privateJwk] },
      1,
      /holds a private key: keys\[0\] has the members "d", "p", "q", "dp", "dq", "qi"/,
      ['jwks-private', 'jwks-ours', 'jwks-signer'],
    ],
    [
      'a bare JWK',
      rsa,
      1,
      /is a bare JWK: expected a JWK Set/,
      ['jwk-bare', 'jwks-ours', 'jwks-signer'],
    ],
    ['EC keys only', { keys: [ec] }, 1, /has no RSA key \(its types: EC\)/, ['jwks-no-rsa']],
    [
      'a wrong first RSA key',
      { keys: [ec, other, rsa] },
      1,
      /keys\[1\], is not ours, which is keys\[2\].*Move keys\[2\] to the front/s,
      ['jwks-wrong-first-key', 'jwks-signer'],
    ],
    [
      'a set without our key',
      { keys: [other] },
      1,
      /does not hold .* our key/,
      ['jwks-not-ours', 'jwks-signer'],
    ],
    [
      'a key too short',
      { keys: [short] },
      1,
      /has 1024 bits: expected at least 2048/,
      ['key-too-short', 'jwks-not-ours', 'jwks-signer'],
    ],
    ['an array', [rsa], 1, /is an array of keys.*Put it into/s, ['jwks-array']],
    [
      'an object of something else',
      { foo: 1 },
      1,
      /without "keys" and without "kty"/,
      ['jwks-missing-keys'],
    ],
    [
      'JSON in a string',
      JSON.stringify(JSON.stringify({ keys: [rsa] })),
      1,
      /encoded twice/,
      ['jwks-in-string'],
    ],
    ['no key', { keys: [] }, 1, /is empty: expected public keys/, ['jwks-empty']],
    ['keys that are no array', { keys: {} }, 1, /is no array/, ['jwks-empty']],
    [
      'a broken key',
      { keys: [{ kty: 'RSA', kid: 'a', n: 'x' }] },
      1,
      /is no key/,
      ['jwks-key-malformed'],
    ],
    [
      'a byte order mark',
      `\uFEFF${JSON.stringify({ keys: [rsa] })}`,
      1,
      /begins with a byte order mark/,
      ['jwks-ours', 'jwks-signer', 'jwks-byte-order-mark'],
    ],
    [
      'no kid',
      { keys: [unnamed] },
      0,
      /no "kid" in keys\[0\]/,
      ['jwks-kid-missing', 'jwks-ours', 'jwks-signer'],
    ],
    [
      'a kid twice and another purpose',
      {
        keys: [
          { ...rsa, alg: 'RS256' },
          { ...other, kid: rsa.kid },
        ],
      },
      0,
      /has "alg" "RS256"/,
      ['jwks-kid-twice', 'jwks-wrong-purpose', 'jwks-ours', 'jwks-signer'],
    ],
    ['a public PEM', spki, 1, /in PEM form: OpenEMR takes .* JWK Set only/, ['pem-public']],
    [
      'our private key',
      rs384Key().text,
      0,
      /is a private key for RS384, RSA of 2048 bits/,
      ['private-key'],
    ],
    ['a private PEM', rs384Key().pem, 0, /is a private key for RS384/, ['private-key']],
    [
      'a private EC key',
      es384Key().text,
      0,
      /OpenEMR takes RS384 only/,
      ['private-key', 'key-not-rsa'],
    ],
    [
      'a damaged private key',
      { ...rs384Key().privateJwk, p: 'x' },
      1,
      /is damaged/,
      ['key-inconsistent'],
    ],
    ['something else', 'hello', 1, /is no private key, neither JSON nor PEM/, ['key-unrecognized']],
  ];

  for (const [name, content, code, printed, codes] of cases) {
    it(`judges ${name}`, async (t) => {
      const cwd = createFolder(t);
      write(cwd, 'ours.json', rs384Key().text);
      write(cwd, 'file', content);
      const text = await key(cwd, 'check', 'file', '--against', 'ours.json');
      assert.match(text.out, printed);
      assert.equal(text.code, code, text.out + text.err);
      const json = await key(cwd, 'check', 'file', '--against', 'ours.json', '--json');
      const { findings } = JSON.parse(json.out) as { findings: { code: string }[] };
      assert.deepEqual(
        findings.map((each) => each.code),
        codes,
      );
      const { d } = rs384Key().privateJwk;
      assert.ok(d !== undefined && !(text.out + json.out + text.err).includes(d));
    });
  }

  it('warns that others can read a private key', async (t) => {
    const cwd = createFolder(t);
    write(cwd, 'key.json', rs384Key().text);
    chmodSync(join(cwd, 'key.json'), 0o640);
    const { code, out } = await key(cwd, 'check', 'key.json');
    assert.equal(code, 1);
    assert.match(out, /can be read by others .*chmod 600/);
  });

  it('names what cannot be read', async (t) => {
    const cwd = createFolder(t);
    const { code, err } = await key(cwd, 'check', 'nothing');
    assert.equal(code, 1);
    assert.match(err, /^error: cannot read ".*nothing": there is no such file\n$/);
    assert.equal((await key(cwd, 'check')).code, 2);
  });
});
