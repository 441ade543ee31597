import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmod,
  chown,
  lchown,
  mkdir,
  mkdtemp,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { readKeyText } from '../../src/auth/key-file.ts';
import { checkKeyFile } from '../../src/auth/key-permissions.ts';
import { loadSigningKey } from '../../src/auth/signing-key.ts';
import { ProxyError } from '../../src/base/errors.ts';
import { rs384Key } from '../support/keys.ts';

const key = rs384Key();
const { uid } = userInfo();
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fhir-auth-proxy-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function keyFile(name: string, mode: number, content: string | Buffer = key.text) {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

async function refuses(value: string, code: string, message: RegExp): Promise<void> {
  await assert.rejects(readKeyText(value), (error) => {
    assert.ok(error instanceof ProxyError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('a value that is the key itself is taken as it is', async () => {
  const escaped = `"${key.pem.replaceAll('\n', String.raw`\n`)}"`;
  for (const value of [key.text, key.pem, `\n  ${key.text}`, escaped]) {
    assert.deepEqual(await readKeyText(value), { text: value, warnings: [] });
  }
});

test('reads a file that only its owner can read', async () => {
  for (const mode of [0o600, 0o400, 0o700]) {
    const path = await keyFile(`owner-${mode.toString(8)}`, mode);
    const { changedAtMs = 0, ...rest } = await readKeyText(path);
    assert.deepEqual(rest, { text: key.text, warnings: [] });
    assert.ok(Math.abs(Date.now() - changedAtMs) < 60_000, 'when the file was last changed');
  }
});

test('reads a key that PowerShell wrote as UTF-16', async () => {
  const path = await keyFile('utf16', 0o600, Buffer.from(`\uFEFF${key.text}\r\n`, 'utf16le'));
  const { text } = await readKeyText(path);
  assert.equal((await loadSigningKey(text)).kid, key.kid);
});

test('refuses a file that others can read, with the command that mends it', async () => {
  for (const mode of [0o640, 0o604, 0o644, 0o660, 0o610]) {
    const path = await keyFile(`exposed-${mode.toString(8)}`, mode);
    const expected = `the key file "${path}" can be read by others than its owner (mode 0${mode.toString(8)}): expected 0600. Run: chmod 600 ${path}`;
    await assert.rejects(readKeyText(path), { code: 'key-file-exposed', message: expected });
    await chmod(path, 0o600);
    assert.equal((await readKeyText(path)).text, key.text);
  }
});

test('a file that holds no private key is judged by that, and nobody is told to hide it', async () => {
  const publicJwk = JSON.stringify({ keys: [(await loadSigningKey(key.text)).publicJwk] });
  const cases: [string, string, string, RegExp][] = [
    ['accounts', 'root:x:0:0:root:/root:/bin/sh\n', 'key-unrecognized', /is no private key/],
    ['public.json', publicJwk, 'key-public-only', /is a public key: expected the private one/],
  ];
  for (const [name, content, code, message] of cases) {
    const path = await keyFile(name, 0o644, content);
    const { text, warnings } = await readKeyText(path);
    assert.deepEqual({ text, warnings }, { text: content, warnings: [] });
    await assert.rejects(loadSigningKey(text, { name: path }), (error) => {
      assert.ok(error instanceof ProxyError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /chmod/);
      return true;
    });
  }
});

test('the command quotes a path that a shell would take apart', async () => {
  const path = await keyFile("it's a key $HOME", 0o644);
  await refuses(path, 'key-file-exposed', /Run: chmod 600 '.*it'\\''s a key \$HOME'$/);
});

test('a file behind a symbolic link is judged, not the link', async () => {
  const closed = join(folder, 'link-closed');
  await symlink(await keyFile('target-closed', 0o600), closed);
  assert.equal((await readKeyText(closed)).text, key.text);
  const open = join(folder, 'link-open');
  await symlink(await keyFile('target-open', 0o644), open);
  await refuses(open, 'key-file-exposed', /chmod 600/);
});

const asRoot = { skip: uid !== 0 && 'only root makes files of other users' };

test('a secret of root that everyone can read is taken with a warning', asRoot, async () => {
  const path = await keyFile('mounted', 0o444);
  const { text, warnings } = await readKeyText(path, { uid: 1 });
  assert.equal(text, key.text);
  assert.deepEqual(warnings, [
    `the key file "${path}" can be read by others than its owner (mode 0444); as a mounted secret it is taken all the same`,
  ]);
  await chmod(path, 0o400);
  assert.deepEqual((await readKeyText(path, { uid: 1 })).warnings, []);
});

test(
  'a secret of root that a group of this process alone can read is how Kubernetes mounts it',
  asRoot,
  async () => {
    const path = await keyFile('group', 0o440);
    assert.deepEqual((await readKeyText(path, { uid: 1 })).warnings, []);
    await chmod(path, 0o460);
    assert.equal((await readKeyText(path, { uid: 1 })).warnings.length, 1);
  },
);

test('refuses a file of another user, who could replace it', asRoot, async () => {
  const path = await keyFile('foreign', 0o600);
  await chown(path, 4321, 4321);
  await refuses(
    path,
    'key-file-foreign',
    /belongs to another user \(id 4321\): expected one of yours/,
  );
});

test('refuses a link of another user', asRoot, async () => {
  const path = join(folder, 'foreign-link');
  await symlink(await keyFile('behind', 0o600), path);
  await lchown(path, 65534, 65534);
  await refuses(path, 'key-file-foreign', /is a link that belongs to another user/);
});

for (const [what, mode] of [
  ['others', 0o757],
  ['its group', 0o775],
  ['everyone', 0o777],
] as const) {
  test(`refuses a file in a folder that ${what} can write to`, async () => {
    const open = join(folder, `open-${mode.toString(8)}`);
    await mkdir(open);
    await chmod(open, mode);
    const path = join(open, 'key');
    await writeFile(path, key.text, { mode: 0o600 });
    await refuses(
      path,
      'key-folder-exposed',
      new RegExp(`mode 0${mode.toString(8)}\\).*Run: chmod go-w ${open}$`),
    );
    await chmod(open, mode | 0o1000);
    assert.equal((await readKeyText(path)).text, key.text);
  });
}

test('refuses a file below a folder that others can write to, and one that a link leads to', async () => {
  const open = join(folder, 'open-above');
  await mkdir(join(open, 'keys'), { recursive: true, mode: 0o700 });
  await chmod(open, 0o777);
  const path = join(open, 'keys', 'key');
  await writeFile(path, key.text, { mode: 0o600 });
  await refuses(path, 'key-folder-exposed', /who may write to ".*open-above"/);
  const link = join(folder, 'link-to-open');
  await symlink(path, link);
  await refuses(link, 'key-folder-exposed', /who may write to ".*open-above"/);
});

test('a readable file on a read-only file system is a mounted secret: a warning', (t) => {
  const mount = join(folder, 'read-only');
  const module = pathToFileURL(join(import.meta.dirname, '../../src/auth/key-file.ts')).href;
  const program = `import { readKeyText } from ${JSON.stringify(module)};
    console.log(JSON.stringify(await readKeyText(${JSON.stringify(join(mount, 'key'))})));`;
  // A mount in a namespace of its own leaves no trace.
  const script = `set -e; mkdir -p "$1"; mount -t tmpfs none "$1" || exit 77; printf %s "$4" > "$1/key"
    chmod 644 "$1/key"; mount -o remount,ro "$1" || exit 77; exec "$2" --import tsx --input-type=module -e "$3"`;
  const args = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
  const run = spawnSync('unshare', [...args, mount, process.execPath, program, key.text], {
    encoding: 'utf8',
  });
  if (run.error !== undefined || run.status === 77 || /^unshare:/m.test(run.stderr)) {
    t.skip('no mount namespace can be made here');
    return;
  }
  assert.equal(run.status, 0, run.stderr);
  const { text, warnings } = JSON.parse(run.stdout) as { text: string; warnings: string[] };
  assert.equal(text, key.text);
  assert.match(warnings.join(), /mode 0644\); as a mounted secret it is taken/);
});

test('Windows has no permission bits to judge', async () => {
  const path = await keyFile('windows', 0o666);
  assert.deepEqual(await checkKeyFile(path, await stat(path), undefined), []);
});

test('says what is wrong with a path', async () => {
  await refuses('keys/private.pem', 'key-path-relative', /expected "\{…\}"/);
  await refuses(join(folder, 'missing'), 'key-file-missing', /missing" does not exist: expected/);
  const file = await keyFile('file', 0o600);
  await refuses(join(file, 'below'), 'key-file-missing', /does not exist/);
  const directory = join(folder, 'directory');
  await mkdir(directory, { mode: 0o700 });
  await refuses(directory, 'key-file-unreadable', /is a folder: expected a JWK or PEM file/);
  const large = await keyFile('large', 0o600);
  await truncate(large, 65_537);
  await refuses(large, 'key-file-too-large', /has 65537 bytes: expected a key, at most 65536/);
});

test(
  'says when a file cannot be read',
  { skip: uid === 0 && 'root reads everything' },
  async () => {
    const path = await keyFile('unreadable', 0o000);
    await refuses(path, 'key-file-unreadable', /cannot be read \(EACCES\)/);
  },
);
